/**
 * Driver. One call per user record: in order per key, side by side otherwise, with a policy for those that fail.
 *
 * What is done is checkpointed with the lease's next renewal, and only as far as nothing before it is open [C11].
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { backoffMs, sleep, type System } from "@millrace/core/runtime";
import { LeaseLostError } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import type { ConsumedRecord, LeasedShard, RecordBatch, ShardHandler } from "../record.ts";
import type { ResolvedEachOptions } from "./each-options.ts";
import { decideAfterFailure } from "./failure-policy.ts";
import { FinishedPrefix } from "./finished-prefix.ts";
import { KeyedRunner } from "./keyed-runner.ts";
import { shardBehind } from "./shard-behind.ts";

/** Where a record comes from, and whether its lease still stands. */
export interface RecordContext {
  readonly shardId: string;
  readonly streamName: string;
  /** 1 for the first call with this record. */
  readonly attempt: number;
  /** Aborts when the lease is over. */
  readonly signal: AbortSignal;
  /** Rises with every owner of the shard. */
  readonly fencingToken: bigint;
}

/** Called for each record; a rejection is a failed attempt. */
export type RecordHandler = (record: ConsumedRecord, context: RecordContext) => Promise<void>;

/** What the loop over records needs besides its handler. */
export interface EachPorts {
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
}

interface Admitted {
  readonly record: ConsumedRecord;
  readonly batch: RecordBatch;
  readonly attemptsBefore: number;
  readonly finish: () => Place | undefined;
  /** True while nothing before this record is open. */
  readonly isFirst: () => boolean;
}

interface Place {
  readonly record: ConsumedRecord;
  readonly batch: RecordBatch;
}

/** Thrown inside when a record has failed for good and the shard is to stop at it. */
class StoppedAtRecord extends Error {}

const retryBackoff = { initialMs: 100, maxMs: 30_000 };
/** Records that may wait for others of their key, for each that runs. */
const waitingPerRunning = 16;

/** A shard handler that calls `handler` for each record. */
export function eachRecord(handler: RecordHandler, options: ResolvedEachOptions, ports: EachPorts): ShardHandler {
  return async (shard) => {
    const prefix = new FinishedPrefix<Place>();
    const runner = new KeyedRunner<Admitted>({
      concurrency: options.concurrency,
      maxAdmitted: options.concurrency === 1 ? 1 : options.concurrency * waitingPerRunning,
      run: async (item) => {
        await untilDone(handler, item, shard, options, ports);
        const done = item.finish();
        if (done !== undefined) await done.batch.checkpoint(done.record, { durable: false });
      },
    });
    // The record after the checkpoint may have been tried before, by this worker or another.
    let attemptsBefore = shardBehind(shard)?.failedAttempts ?? 0;
    try {
      for await (const batch of shard) {
        for (const record of batch.records) {
          const finish = prefix.admit({ record, batch });
          const isFirst = (): boolean => prefix.first?.record === record;
          await runner.admit({ record, batch, attemptsBefore, finish, isFirst }, record.partitionKey);
          attemptsBefore = 0;
        }
      }
      await runner.idle();
    } catch (error) {
      await runner.idle().catch(() => undefined);
      if (!(error instanceof StoppedAtRecord)) throw error;
      await shardBehind(shard)?.untilDraining();
    }
  };
}

async function untilDone(
  handler: RecordHandler,
  { record, attemptsBefore, isFirst }: Admitted,
  shard: LeasedShard,
  options: ResolvedEachOptions,
  ports: EachPorts,
): Promise<void> {
  if (options.filter?.(record) === false) return;
  const { shardId, streamName, signal, fencingToken } = shard;
  for (let attempt = attemptsBefore + 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      await handler(record, { shardId, streamName, attempt, signal, fencingToken });
      return;
    } catch (error) {
      if (signal.aborted || error instanceof LeaseLostError) throw error;
      const arrival = record.approximateArrivalTimestamp?.getTime();
      const ageMs = arrival === undefined ? undefined : ports.system.wallNow() - arrival;
      const step = decideAfterFailure(options, attempt, ageMs);
      const isFinal = step.next === "give-up";
      const retryInMs = isFinal ? undefined : backoffMs(retryBackoff, attempt, ports.system.random());
      tellFailure(ports, shardId, record, attempt, error, retryInMs);
      if (isFirst()) await shardBehind(shard)?.rememberFailures(attempt);
      if (retryInMs !== undefined) {
        await sleep(ports.system, retryInMs, { signal });
        continue;
      }
      const why = step.next === "give-up" ? step.why : "attempts";
      if (options.deadLetter === undefined) throw stopAt(shard, record, ports, describeError(error));
      await untilSent(options.deadLetter, { record, shardId, streamName, attempts: attempt, why, error }, shard, ports);
      return;
    }
  }
}

function tellFailure(
  ports: EachPorts,
  shardId: string,
  record: ConsumedRecord,
  attempt: number,
  error: unknown,
  retryInMs: number | undefined,
): void {
  const { sequenceNumber, subSequenceNumber } = record;
  ports.events.publish({
    type: "record-failed",
    shardId,
    sequenceNumber,
    subSequenceNumber,
    attempt,
    error: describeError(error),
    retryInMs,
  });
}

/** The shard stays where it is, with its lease renewed, until an operator or the end of the run. */
function stopAt(shard: LeasedShard, record: ConsumedRecord, ports: EachPorts, error: string): StoppedAtRecord {
  const { sequenceNumber, subSequenceNumber } = record;
  shardBehind(shard)?.stopped(`record ${sequenceNumber} failed for good: ${error}`);
  ports.events.publish({ type: "shard-stopped", shardId: shard.shardId, sequenceNumber, subSequenceNumber, error });
  return new StoppedAtRecord(error);
}

async function untilSent(
  deadLetter: NonNullable<ResolvedEachOptions["deadLetter"]>,
  failed: Parameters<typeof deadLetter.send>[0],
  shard: LeasedShard,
  ports: EachPorts,
): Promise<void> {
  const { sequenceNumber, subSequenceNumber } = failed.record;
  for (let attempt = 1; ; attempt++) {
    shard.signal.throwIfAborted();
    try {
      await deadLetter.send(failed);
      const { shardId } = shard;
      ports.events.publish({ type: "dead-lettered", shardId, sequenceNumber, subSequenceNumber, why: failed.why });
      return;
    } catch (error) {
      if (shard.signal.aborted) throw error;
      const retryInMs = backoffMs(retryBackoff, attempt, ports.system.random());
      const described = describeError(error);
      ports.events.publish({ type: "dead-letter-failed", shardId: shard.shardId, error: described, retryInMs });
      await sleep(ports.system, retryInMs, { signal: shard.signal });
    }
  }
}
