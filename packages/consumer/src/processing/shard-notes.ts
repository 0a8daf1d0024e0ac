/**
 * Driver. What is known about why a shard moves or does not, while it is known: for its health report.
 */
import { describeError } from "@millrace/core/observe";
import { formatCheckpoint } from "../checkpoint/checkpoint.ts";
import { troubleOf, type ShardHealth } from "../health.ts";
import type { ShardConsumerOptions } from "./shard-consumer-options.ts";
import type { ShardState } from "./shard-state.ts";

/** The notes on one shard. */
export class ShardNotes {
  readonly #options: ShardConsumerOptions;
  /** Why a handler of ours does not go on, and will not by itself. */
  stoppedBecause: string | undefined;
  /** What holds a handler of ours up. */
  heldUpBy: string | undefined;
  /** What the last call of the handler threw. */
  thrown: { readonly error: unknown } | undefined;
  #lastDelivery: { readonly at: number; readonly millisBehindLatest: number | undefined };

  constructor(options: ShardConsumerOptions) {
    this.#options = options;
    this.#lastDelivery = { at: options.system.now(), millisBehindLatest: undefined };
  }

  delivered(millisBehindLatest: number): void {
    this.#lastDelivery = { at: this.#options.system.now(), millisBehindLatest };
  }

  /** The report. */
  health(state: ShardState, hasHandlerBatch: boolean): ShardHealth {
    const { held, stream, system, failoverTimeMs } = this.#options;
    const sinceDeliveryMs = system.now() - this.#lastDelivery.at;
    const sinceRenewalMs = system.now() - held.lastRenewedAt;
    const trouble = troubleOf({
      state,
      waitingForParents: held.lease.parentShardIds,
      stoppedBecause: this.stoppedBecause,
      heldUpBy: this.heldUpBy,
      lastFailure: this.thrown === undefined ? undefined : describeError(this.thrown.error),
      hasHandlerBatch,
      sinceDeliveryMs,
      sinceRenewalMs,
      failoverTimeMs,
    });
    return {
      shardId: held.shardId,
      streamName: stream.streamName,
      phase: state.phase,
      checkpoint: formatCheckpoint(held.checkpointed),
      millisBehindLatest: this.#lastDelivery.millisBehindLatest,
      sinceDeliveryMs,
      sinceRenewalMs,
      trouble,
    };
  }
}
