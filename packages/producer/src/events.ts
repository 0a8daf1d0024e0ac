/**
 * Pure. What a producer tells its observers: the union that `onEvent` and the diagnostics channel
 * `millrace:producer` get.
 *
 * Events are plain data and survive JSON. The union may grow in a minor release: ignore types you do not know.
 */
import type { PutErrorScope } from "./errors.ts";

/** An event of a producer; `type` tells them apart. */
export type ProducerEvent =
  /** The open shards were read for the first time, or have changed. */
  | { readonly type: "shard-map-updated"; readonly openShards: number }
  /** ListShards failed and will be asked again; an older map keeps serving, without one records go unaggregated. */
  | {
      readonly type: "shard-map-failed";
      readonly code: string;
      readonly message: string;
      readonly retryInMs: number;
    }
  /** ListShards is refused for good, most often by IAM: records go unaggregated, which costs more. */
  | { readonly type: "prediction-off"; readonly code: string; readonly message: string }
  /** The stream's record distribution strategy: with AUTO nothing is aggregated. */
  | { readonly type: "record-distribution"; readonly auto: boolean }
  /** A PutRecords request has been answered. */
  | {
      readonly type: "request-completed";
      readonly kinesisRecords: number;
      readonly userRecords: number;
      readonly bytes: number;
      readonly durationMs: number;
      /** Kinesis records refused one by one while the request succeeded. */
      readonly failedRecords: number;
      /** Set when the request failed as a whole. */
      readonly errorCode?: string;
    }
  /** Records will be sent again. */
  | {
      readonly type: "retry";
      readonly code: string;
      readonly message: string;
      readonly userRecords: number;
      readonly shardId?: string;
      readonly delayMs: number;
    }
  /** A shard asked for less: its rate was lowered to this share of `rateLimitPercent`. */
  | { readonly type: "throttled"; readonly shardId: string; readonly ratePercent: number }
  /** The service refused a whole request as invalid; its records are sent apart to find the one at fault. */
  | { readonly type: "request-refused"; readonly code: string; readonly message: string; readonly userRecords: number }
  /** An aggregate landed in a shard that does not own all its keys; its records are sent again, unaggregated. */
  | {
      readonly type: "wrong-shard";
      readonly predictedShardId: string;
      readonly actualShardId: string;
      readonly userRecords: number;
    }
  /** Records failed: their puts were rejected, or they had been given to `offer`. */
  | {
      readonly type: "records-failed";
      readonly code: string;
      readonly message: string;
      readonly scope: PutErrorScope;
      readonly userRecords: number;
      /** How many of them came through `offer`, so that nobody else hears of them. */
      readonly offeredRecords: number;
    }
  /** The buffer is full: puts wait, `offer` says false. */
  | { readonly type: "buffer-full"; readonly bufferedRecords: number; readonly bufferedBytes: number }
  /** There is room again. */
  | { readonly type: "buffer-ready" };
