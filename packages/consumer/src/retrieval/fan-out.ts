/**
 * Driver. Reads a shard by subscriptions of enhanced fan-out, one after another.
 *
 * Source: kcl.md 5.2, kinesis-service.md 1.2. A subscription lives 5 minutes; the next goes on at the continuation of
 * the last event that was taken in. Another one within 5 s of the last is refused, so we wait that long. Pulling only
 * when there is room is the backpressure.
 */
import { KinesisError } from "@millrace/core/kinesis";
import { promptly } from "../start-calls.ts";
import { answerWithin } from "./answer-within.ts";
import type { FanOutPort, Subscription, SubscriptionEvent } from "./fan-out-port.ts";
import type { ShardChunk, ShardReader } from "./shard-reader.ts";
import { ShardReading, type ShardReadingOptions } from "./shard-reading.ts";

/** Source: kinesis-service.md 1.2: within 5 s of a successful call the next is refused. */
const resubscribeGuardMs = 5_000;
/** An event comes every few seconds, records or not; silence means a connection that is half open. KCL waits 60 s. */
const watchdogMs = 30_000;
const failureBackoff = { initialMs: 500, maxMs: 10_000 };

export interface FanOutOptions extends ShardReadingOptions {
  readonly fanOut: FanOutPort;
  /** The ARN of the application's consumer. */
  readonly consumerArn: () => string;
  /** Told when the service knows the shard and not the consumer; resolves, whatever came of it, when it was asked for. */
  readonly onConsumerMissing: () => Promise<void>;
  /** When this shard was last subscribed to by this process, on the system's clock. */
  readonly lastSubscribedAt: number | undefined;
  readonly onSubscribed: (at: number) => void;
}

/** A reader that subscribes. It begins at once. */
export class FanOutReader implements ShardReader {
  readonly #options: FanOutOptions;
  readonly #reading: ShardReading;
  #subscribedAt: number;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#subscribedAt = options.lastSubscribedAt ?? -Infinity;
    this.#reading = new ShardReading(options, failureBackoff);
    this.#reading.start(() => this.#subscribeOnce());
  }

  get bufferedBytes(): number {
    return this.#reading.bufferedBytes;
  }

  next(signal: AbortSignal): Promise<ShardChunk> {
    return this.#reading.next(signal);
  }

  stop(): Promise<void> {
    return this.#reading.stop();
  }

  /** One subscription, from its start to its end; gives the pause before the next. */
  async #subscribeOnce(): Promise<number> {
    const { fanOut, system, shardId } = this.#options;
    const reading = this.#reading;
    const guardMs = this.#subscribedAt + resubscribeGuardMs - system.now();
    if (guardMs > 0) return guardMs;
    const abort = new AbortController();
    const stop = (): void => abort.abort(reading.signal.reason);
    reading.signal.addEventListener("abort", stop, { once: true });
    try {
      const request = { consumerArn: this.#options.consumerArn(), shardId, position: reading.position };
      const answer = await answerWithin(system, abort, (signal) => fanOut.subscribeToShard(request, { signal }));
      if (!answer.ok) return await this.#failed(answer.error);
      this.#subscribedAt = system.now();
      this.#options.onSubscribed(this.#subscribedAt);
      return await this.#pull(answer.value, abort);
    } catch (error) {
      if (error instanceof KinesisError) return await this.#failed(error);
      throw error;
    } finally {
      reading.signal.removeEventListener("abort", stop);
      abort.abort();
    }
  }

  /** Takes in events until the subscription ends or is to end; gives the pause before the next one. */
  async #pull(subscription: Subscription, abort: AbortController): Promise<number> {
    const reading = this.#reading;
    const iterator = subscription[Symbol.asyncIterator]();
    try {
      for (;;) {
        // Nothing is set aside: an event may be seconds away, and is small.
        await reading.room(0);
        if (reading.isOver) return 0;
        const next = await this.#nextWithin(iterator, abort.signal);
        if (reading.isOver || next.done === true) return 0;
        const { records, millisBehindLatest, continuationSequenceNumber, childShards } = next.value;
        reading.take(records, millisBehindLatest, continuationSequenceNumber);
        // An end that is not believed is asked for again by another subscription.
        if (continuationSequenceNumber === undefined) return await reading.end(childShards);
      }
    } finally {
      // A subscription that hangs is not waited for.
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }

  /** The next event. Rejects with a KinesisError when the subscription breaks, falls silent or is to end. */
  #nextWithin(
    iterator: AsyncIterator<SubscriptionEvent>,
    signal: AbortSignal,
  ): Promise<IteratorResult<SubscriptionEvent>> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(interrupted("AbortError", "the reading was stopped"));
      signal.addEventListener("abort", stop, { once: true });
      const silence = this.#options.system.schedule(watchdogMs, () =>
        reject(interrupted("SUBSCRIPTION_SILENT", `no event in ${watchdogMs} ms`)),
      );
      iterator
        .next()
        .then(resolve, reject)
        .finally(() => {
          silence.cancel();
          signal.removeEventListener("abort", stop);
        });
    });
  }

  async #failed(error: KinesisError): Promise<number> {
    // Another subscription of the same consumer stands, or stood less than 5 s ago.
    const atLeastMs = error.code === "ResourceInUseException" ? resubscribeGuardMs : 0;
    const retryInMs = await this.#reading.failed("SubscribeToShard", error, atLeastMs);
    if (error.code === "ResourceNotFoundException" && !this.#reading.isOver) {
      await this.#findConsumerAgain();
    }
    return retryInMs;
  }

  async #findConsumerAgain(): Promise<void> {
    try {
      await promptly(this.#reading.signal, this.#options.onConsumerMissing);
    } catch {
      // Only the reading's end rejects, and it is looked at before the next subscription.
    }
  }
}

function interrupted(code: string, message: string): KinesisError {
  return new KinesisError({ code, message, kind: "transient", mayHaveTakenEffect: false });
}
