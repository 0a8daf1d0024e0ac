/**
 * Driver. The checkpoints that a batch offers, on the lease behind it.
 */
import type { HeldLease } from "../leases/held-lease.ts";
import { placeOf, type ConsumedRecord, type PreparedCheckpoint, type RecordBatch } from "../record.ts";
import type { DeliveredRecord } from "../retrieval/delivered-record.ts";
import { compareCheckpoints, type Checkpoint } from "./checkpoint.ts";

const leases = new WeakMap<RecordBatch, HeldLease>();

/** A batch with its checkpoints. `before` is the place of the record before it, or where reading began. */
export function createBatch(
  held: HeldLease,
  records: readonly ConsumedRecord[],
  millisBehindLatest: number,
  before: Checkpoint,
): RecordBatch {
  const place = (upTo: ConsumedRecord | undefined): Checkpoint => {
    const exact = placeWithin(held, records, upTo);
    // Looked for only where it matters: runEach checkpoints record by record.
    return isPacked(upTo ?? records.at(-1)) === false ? exact : roundedDown(records, exact, before);
  };
  const batch: RecordBatch = {
    shardId: held.shardId,
    millisBehindLatest,
    records,
    async checkpoint(upTo, options) {
      if (options?.durable === false) held.ride(place(upTo));
      else await held.checkpoint({ checkpoint: place(upTo) });
    },
    prepareCheckpoint: async (upTo, options) => prepare(held, place(upTo), options?.state),
  };
  leases.set(batch, held);
  return batch;
}

/** The lease behind a batch; undefined for one that is not ours. */
export function leaseBehind(batch: RecordBatch): HeldLease | undefined {
  return leases.get(batch);
}

/** The checkpoints of a batch that reach back to records of batches before it, as KCL's checkpointer does. */
export function checkpointsThrough(batch: RecordBatch): Pick<RecordBatch, "checkpoint" | "prepareCheckpoint"> {
  const held = leases.get(batch);
  const last = batch.records.at(-1);
  if (held === undefined || last === undefined) throw new Error(`${batch.shardId}: the batch is none of this package`);
  const place = (upTo = last): Checkpoint => {
    if (compareCheckpoints(placeOf(upTo), placeOf(last)) <= 0) return placeOf(upTo);
    throw new RangeError(`${held.shardId}: the record to checkpoint was not handed over yet`);
  };
  return {
    checkpoint: async (upTo) => held.checkpoint({ checkpoint: place(upTo) }),
    prepareCheckpoint: async (upTo, options) => prepare(held, place(upTo), options?.state),
  };
}

async function prepare(
  held: HeldLease,
  checkpoint: Checkpoint,
  state: Uint8Array | undefined,
): Promise<PreparedCheckpoint> {
  // What rides along would clear the preparation with its own write.
  await held.flush();
  await held.checkpoint({ checkpoint: held.lease.checkpoint, pending: { checkpoint, state } });
  return { checkpoint: () => held.checkpoint({ checkpoint }) };
}

function placeWithin(
  held: HeldLease,
  records: readonly ConsumedRecord[],
  upTo: ConsumedRecord | undefined,
): Checkpoint {
  const [first] = records;
  const last = records.at(-1);
  const record = upTo ?? last;
  if (first !== undefined && last !== undefined && record !== undefined) {
    const place = placeOf(record);
    const isWithin = compareCheckpoints(placeOf(first), place) <= 0 && compareCheckpoints(place, placeOf(last)) <= 0;
    if (isWithin) return place;
  }
  throw new RangeError(`${held.shardId}: the record to checkpoint is not in this batch`);
}

/**
 * The place itself, unless it stands inside a Kinesis record that came compressed and is not its end: then the place of the
 * record before that one. A worker that does not open compressed records, KCL's say, takes one for a single user record: it
 * would find it done, and skip what is left of it. Batches hold such a record whole or not at all.
 */
function roundedDown(records: readonly ConsumedRecord[], place: Checkpoint, before: Checkpoint): Checkpoint {
  const at = firstAtOrAfter(records, place);
  if (isPacked(records[at]) !== true) return place;
  const { sequenceNumber } = place;
  if (records[at + 1]?.sequenceNumber !== sequenceNumber) return place;
  const previous = records[firstAtOrAfter(records, { sequenceNumber, subSequenceNumber: 0 }) - 1];
  return previous === undefined ? before : placeOf(previous);
}

/** Undefined for a record that is not ours, such as a copy. */
function isPacked(record: ConsumedRecord | undefined): boolean | undefined {
  return (record as Partial<DeliveredRecord> | undefined)?.isPacked;
}

/** Where the first record stands that is at `place` or after it. The records are in their order. */
function firstAtOrAfter(records: readonly ConsumedRecord[], place: Checkpoint): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = records[middle];
    if (record !== undefined && compareCheckpoints(placeOf(record), place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
