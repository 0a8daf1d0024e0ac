/**
 * Driver. One call per user record: in order per key, side by side otherwise, with a policy for those that fail.
 *
 * What is done is checkpointed with the lease's next renewal, and only as far as nothing before it is open [C11].
 */
import type { ConsumedRecord, ShardHandler } from "../record.ts";
import type { ResolvedEachOptions } from "./each-options.ts";
import type { EachPorts, GroupCall, RecordContext } from "./each-ports.ts";
import { GroupRun } from "./group-run.ts";

/** Called for each record; a rejection is a failed attempt. */
export type RecordHandler = (record: ConsumedRecord, context: RecordContext) => Promise<void>;

/** Records that may wait for others of their key, for each that runs. */
const waitingPerRunning = 16;

/** A shard handler that calls `handler` for each record. */
export function eachRecord(handler: RecordHandler, options: ResolvedEachOptions, ports: EachPorts): ShardHandler {
  const { concurrency } = options;
  const shape = {
    laneOf: (record: ConsumedRecord) => record.partitionKey,
    maxAdmitted: concurrency === 1 ? 1 : concurrency * waitingPerRunning,
  };
  const call: GroupCall = async ([record], context) => {
    if (record !== undefined) await handler(record, context);
    return undefined;
  };
  return (shard) => new GroupRun(shard, call, options, shape, ports).run();
}
