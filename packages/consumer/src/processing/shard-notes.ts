/**
 * Driver. What is known about why a shard moves or does not, while it is known: for its health report.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { formatCheckpoint } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import { troubleOf, type HandlerDoing, type ShardHealth } from "../health.ts";
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
  /** Why nothing could be read last. */
  #readFailure: string | undefined;
  #lastReadAt: number;
  #phaseSince: number;
  #lastDelivery: { readonly at: number; readonly millisBehindLatest: number | undefined };

  constructor(options: ShardConsumerOptions) {
    this.#options = options;
    const now = options.system.now();
    this.#lastDelivery = { at: now, millisBehindLatest: undefined };
    this.#lastReadAt = now;
    this.#phaseSince = now;
  }

  /** Another phase has begun. */
  enteredPhase(): void {
    this.#phaseSince = this.#options.system.now();
    this.#lastReadAt = this.#phaseSince;
    this.#readFailure = undefined;
  }

  /** The service has answered, if only that there is nothing new. */
  hasRead(): void {
    this.#lastReadAt = this.#options.system.now();
    this.#readFailure = undefined;
  }

  /** The events of this shard's reading: a failure is noted until something is read. */
  get readingEvents(): EventPublisher<ConsumerEvent> {
    const { events } = this.#options;
    return {
      hasListeners: true,
      publish: (event) => {
        if (event.type === "read-failed") this.#readFailure = event.error;
        events.publish(event);
      },
    };
  }

  delivered(millisBehindLatest: number): void {
    this.#lastDelivery = { at: this.#options.system.now(), millisBehindLatest };
  }

  /** The report. */
  health(state: ShardState, handler: HandlerDoing): ShardHealth {
    const { held, stream, system, failoverTimeMs, readSilenceMs } = this.#options;
    const now = system.now();
    const sinceDeliveryMs = now - this.#lastDelivery.at;
    const sinceRenewalMs = now - held.lastRenewedAt;
    const trouble = troubleOf({
      state,
      waitingForParents: held.lease.parentShardIds,
      stoppedBecause: this.stoppedBecause,
      heldUpBy: this.heldUpBy,
      lastFailure: this.thrown === undefined ? undefined : describeError(this.thrown.error),
      readFailure: this.#readFailure,
      handler,
      sincePhaseMs: now - this.#phaseSince,
      sinceReadMs: now - this.#lastReadAt,
      readSilenceMs,
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
