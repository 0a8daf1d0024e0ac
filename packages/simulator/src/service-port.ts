/**
 * Pure. The seam between the service and whoever carries calls to it: the server's wire, or the port in process.
 *
 * Inputs and outputs are plain objects with the wire's field names; blobs are `Uint8Array`, timestamps are `Date`.
 */
import type { ServiceError } from "./service-error.ts";

/** Who calls, and whether the caller still waits. */
export interface CallContext {
  readonly accessKeyId?: string | undefined;
  /** Aborts when the caller has gone: a call that hangs ends then. */
  readonly signal?: AbortSignal | undefined;
}

/** What a call carries, by the wire's field names. */
export type ServiceInput = Record<string, unknown>;
/** What an answer carries, by the wire's field names. */
export type ServiceOutput = Record<string, unknown>;

/** One element of SubscribeToShard's event stream; the stream ends after an exception. */
export type SubscriptionFrame =
  | { readonly SubscribeToShardEvent: ServiceOutput; readonly exception?: undefined }
  | { readonly exception: ServiceError; readonly SubscribeToShardEvent?: undefined };

/** Output of SubscribeToShard. Iterating throws a `WireFault` where the stream is to break off. */
export interface SubscribeToShardOutput extends ServiceOutput {
  readonly EventStream: AsyncIterable<SubscriptionFrame>;
}

/** The service as its callers see it. */
export interface KinesisExecutor {
  /**
   * Executes one call of one action.
   * @throws {ServiceError} what the service answers instead.
   * @throws {WireFault} where an ordered fault breaks the way back.
   */
  execute(action: string, input: ServiceInput, context?: CallContext): Promise<ServiceOutput>;
}

/** A server in front of a service, as `src/server` starts it. */
export interface SimulatorServer {
  /** Where a client finds it, such as `https://127.0.0.1:41234`. */
  readonly endpoint: string;
  /** Stops listening and breaks what is open; idempotent. */
  close(): Promise<void>;
}
