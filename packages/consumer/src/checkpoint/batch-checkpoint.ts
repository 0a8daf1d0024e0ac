/**
 * Driver. The checkpoints that a batch offers, on the lease behind it.
 */
import type { HeldLease } from "../leases/held-lease.ts";
import { placeOf, type ConsumedRecord, type PreparedCheckpoint, type RecordBatch } from "../record.ts";
import { compareCheckpoints, type Checkpoint } from "./checkpoint.ts";

const leases = new WeakMap<RecordBatch, HeldLease>();

/** A batch with its checkpoints. */
export function createBatch(
  held: HeldLease,
  records: readonly ConsumedRecord[],
  millisBehindLatest: number,
): RecordBatch {
  const place = (upTo: ConsumedRecord | undefined): Checkpoint => placeWithin(held, records, upTo);
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
