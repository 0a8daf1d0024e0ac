/**
 * Driver. One call per batch of user records: in order per key, side by side otherwise, in halves when it fails.
 *
 * What is done is checkpointed with the lease's next renewal, and only as far as nothing before it is open [C11].
 */
import type { ConsumedRecord, ShardHandler } from "../record.ts";
import type { ResolvedEachOptions } from "./each-options.ts";
import type { EachPorts, RecordContext } from "./each-ports.ts";
import { GroupRun } from "./group-run.ts";

/** What a handler of batches may tell: the first record that is not done, where those before it are. */
export interface BatchFailure {
  /** A record of the batch, the very object. It and those after it are handled again. */
  readonly failedAt: ConsumedRecord;
  /** Why, for events and dead letters. */
  readonly error?: unknown;
}

/** Called for each batch; a rejection is a failed attempt of the whole batch. */
export type BatchHandler = (
  records: readonly ConsumedRecord[],
  context: RecordContext,
) => Promise<BatchFailure | undefined | void>;

/** Batches that may wait for others of their keys, for each that runs. */
const waitingPerRunning = 2;

/** A shard handler that calls `handler` for each batch. */
export function eachBatch(handler: BatchHandler, options: ResolvedEachOptions, ports: EachPorts): ShardHandler {
  const { concurrency } = options;
  let next = 0;
  const laneOf = ({ partitionKey }: ConsumedRecord): string => {
    if (concurrency === 1) return "0";
    // Records without a key are bound to no order.
    if (partitionKey === undefined) return String((next = (next + 1) % concurrency));
    return String(hashOf(partitionKey) % concurrency);
  };
  const shape = { laneOf, maxAdmitted: concurrency === 1 ? 1 : concurrency * waitingPerRunning };
  const call = async (records: readonly ConsumedRecord[], context: RecordContext): Promise<BatchFailure | undefined> =>
    (await handler(records, context)) ?? undefined;
  return (shard) => new GroupRun(shard, call, options, shape, ports).run();
}

/** FNV-1a, 32 bits: the keys of a shard have neighbouring MD5 hashes, and MD5 costs more. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
