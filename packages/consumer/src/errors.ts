/**
 * Pure. The errors a caller can meet, one class per decision that a caller can make.
 */
import { isBranded } from "@millrace/core/options";

const leaseLostBrand = Symbol.for("millrace.LeaseLostError");
const closedBrand = Symbol.for("millrace.ConsumerClosedError");
const failedBrand = Symbol.for("millrace.ConsumerError");

/**
 * Why a lease ended:
 * - `taken`: another worker has it.
 * - `expired`: it could not be renewed in time, so another worker may have it.
 * - `deleted`: its row is gone.
 * - `released`: it was given up on purpose: a hand-off, a shutdown, `release()`.
 */
export type LeaseLossReason = "taken" | "expired" | "deleted" | "released";

/**
 * The shard belongs to somebody else now. Not a failure: stop working on the shard; whatever was not checkpointed is
 * delivered to the new owner.
 */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  readonly code = "ERR_LEASE_LOST";
  readonly retryable = false;
  readonly shardId: string;
  readonly reason: LeaseLossReason;
  readonly [leaseLostBrand] = true;

  constructor(shardId: string, reason: LeaseLossReason) {
    super(`the lease of ${shardId} is ${reason}`);
    this.shardId = shardId;
    this.reason = reason;
  }

  /** Recognises a LeaseLostError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, leaseLostBrand);
  }
}

/** The consumer was closed, or is running already. */
export class ConsumerClosedError extends Error {
  override readonly name = "ConsumerClosedError";
  readonly code = "ERR_CONSUMER_CLOSED";
  readonly retryable = false;
  readonly [closedBrand] = true;

  /** Recognises a ConsumerClosedError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, closedBrand);
  }
}

/**
 * The consumer cannot go on: the stream does not exist, the lease table may not be used. `cause` is the service's error.
 */
export class ConsumerError extends Error {
  override readonly name = "ConsumerError";
  readonly code: string;
  readonly retryable = false;
  readonly [failedBrand] = true;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** Recognises a ConsumerError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, failedBrand);
  }
}
