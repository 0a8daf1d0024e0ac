/**
 * Driver. One call per user record, in order within a shard.
 *
 * What is done is checkpointed with the lease's next renewal, so that records cost no writes of their own.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { checkOptionNames, integerOption } from "@millrace/core/options";
import { backoffMs, sleep, type System } from "@millrace/core/runtime";
import { LeaseLostError } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import type { ConsumedRecord, LeasedShard, ShardHandler } from "../record.ts";

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

/** Options of `runEach`. */
export interface EachOptions {
  /** Calls for one record before the shard stops at it. Integer from 1. @default no bound: it is tried for ever */
  readonly maxAttempts?: number | undefined;
  /** Ends the run as `close` does. */
  readonly signal?: AbortSignal | undefined;
}

export interface ResolvedEachOptions {
  readonly maxAttempts: number;
}

const retryBackoff = { initialMs: 100, maxMs: 30_000 };

/** @throws {ConfigError} for a bad option. */
export function resolveEachOptions(options: EachOptions): ResolvedEachOptions {
  checkOptionNames("EachOptions", options, ["maxAttempts", "signal"]);
  const max = Number.MAX_SAFE_INTEGER;
  return { maxAttempts: integerOption("maxAttempts", options.maxAttempts, { min: 1, max, fallback: max }) };
}

/** A shard handler that calls `handler` for each record. */
export function eachRecord(
  handler: RecordHandler,
  options: ResolvedEachOptions,
  ports: { readonly system: System; readonly events: EventPublisher<ConsumerEvent> },
): ShardHandler {
  return async (shard) => {
    for await (const batch of shard) {
      for (const record of batch.records) {
        await untilDone(handler, record, shard, options, ports);
        await batch.checkpoint(record, { durable: false });
      }
    }
  };
}

async function untilDone(
  handler: RecordHandler,
  record: ConsumedRecord,
  shard: LeasedShard,
  options: ResolvedEachOptions,
  ports: { readonly system: System; readonly events: EventPublisher<ConsumerEvent> },
): Promise<void> {
  const { shardId, streamName, signal, fencingToken } = shard;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      await handler(record, { shardId, streamName, attempt, signal, fencingToken });
      return;
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      const isLast = attempt >= options.maxAttempts;
      const retryInMs = isLast ? undefined : backoffMs(retryBackoff, attempt, ports.system.random());
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
      if (retryInMs === undefined) throw error;
      await sleep(ports.system, retryInMs, { signal });
    }
  }
}
