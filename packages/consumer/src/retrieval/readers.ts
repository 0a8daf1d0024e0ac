/**
 * Driver. Makes the reader of a shard: polling, or enhanced fan-out once the application is registered.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { KinesisPort, StartingPosition } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "../events.ts";
import type { ResolvedConsumerOptions } from "../resolve-options.ts";
import { kinesisAnswer, type StartPorts } from "../start-calls.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { DeaggregationRules } from "./deaggregation.ts";
import { FanOutReader } from "./fan-out.ts";
import type { FanOutPort } from "./fan-out-port.ts";
import { PollingReader } from "./polling.ts";
import type { ShardReader } from "./shard-reader.ts";
import { registerConsumer } from "./stream-consumer.ts";

export interface ReadersOptions {
  readonly options: ResolvedConsumerOptions;
  readonly kinesis: KinesisPort;
  /** Needed for enhanced fan-out only. */
  readonly fanOut: (() => FanOutPort) | undefined;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
}

/** The readers of one worker; they share one budget of bytes. */
export class Readers {
  readonly #wiring: ReadersOptions;
  readonly #budget: ByteBudget;
  /** Consumer ARNs by stream, once registered. */
  readonly #consumers = new Map<string, string>();
  /** Streams whose keys do not decide the shard, or of which that is not known. */
  readonly #keysIgnored = new Set<string>();
  readonly #subscribedAt = new Map<string, number>();
  #fanOut: FanOutPort | undefined;
  #start: StartPorts | undefined;
  /** Streams whose consumer is being looked for again. */
  readonly #findings = new Map<string, Promise<void>>();

  constructor(wiring: ReadersOptions) {
    this.#wiring = wiring;
    this.#budget = new ByteBudget(wiring.options.prefetchTotalMaxBytes);
  }

  /**
   * Registers the application where it reads by fan-out.
   * @throws {ConsumerError} when that is refused.
   */
  async prepare(signal: AbortSignal): Promise<void> {
    const { options, kinesis, fanOut, system, events } = this.#wiring;
    const start: StartPorts = { system, events, signal };
    this.#start = start;
    await this.#askDistribution(start);
    if (options.fanOut === undefined || fanOut === undefined) return;
    this.#fanOut = fanOut();
    for (const stream of options.streams) {
      const { consumerArn, consumerName } = options.fanOut;
      const ports = { ...start, fanOut: this.#fanOut, kinesis };
      const arn = consumerArn ?? (await registerConsumer(ports, stream, consumerName));
      this.#consumers.set(stream.leaseKeyPrefix, arn);
    }
  }

  /** Somebody deregistered the consumer: made again it has another ARN. All shards of a stream ask together. */
  #findConsumerAgain(stream: ConsumedStream): Promise<void> {
    const key = stream.leaseKeyPrefix;
    const finding = this.#findings.get(key) ?? this.#registerAgain(stream).finally(() => this.#findings.delete(key));
    this.#findings.set(key, finding);
    return finding;
  }

  async #registerAgain(stream: ConsumedStream): Promise<void> {
    const { options, kinesis, events } = this.#wiring;
    const start = this.#start;
    if (options.fanOut?.consumerArn !== undefined || options.fanOut === undefined) return;
    if (this.#fanOut === undefined || start === undefined) return;
    try {
      const ports = { ...start, fanOut: this.#fanOut, kinesis };
      this.#consumers.set(stream.leaseKeyPrefix, await registerConsumer(ports, stream, options.fanOut.consumerName));
    } catch (error) {
      // The reader fails with its old ARN again and asks again.
      if (start.signal.aborted) return;
      const { streamName } = stream;
      const at = { operation: "register again", streamName, code: "ERR_STREAM_CONSUMER", retryInMs: 0 };
      events.publish({ type: "stream-call-failed", ...at, error: describeError(error) });
    }
  }

  /** How the stream's aggregates are treated. */
  deaggregationOf(stream: ConsumedStream): DeaggregationRules {
    const keysDecideShard = !this.#keysIgnored.has(stream.leaseKeyPrefix);
    return { ...this.#wiring.options.deaggregation, keysDecideShard };
  }

  /** Asks once whether keys decide the shard, where that matters. Not knowing means not looking at keys. */
  async #askDistribution(start: StartPorts): Promise<void> {
    const { options, kinesis, events } = this.#wiring;
    if (options.deaggregation.onOutOfRange === undefined) return;
    for (const stream of options.streams) {
      const at = { operation: "describe stream", streamName: stream.streamName };
      const answer = await kinesisAnswer(start, at, () =>
        kinesis.describeStreamSummary(stream.ref, { signal: start.signal }),
      );
      if (answer.ok && answer.value.recordDistributionStrategy !== "AUTO") continue;
      this.#keysIgnored.add(stream.leaseKeyPrefix);
      const { streamName } = stream;
      const why = answer.ok ? "its record distribution strategy is AUTO" : describeError(answer.error);
      events.publish({ type: "range-check-off", streamName, why });
    }
  }

  /** A reader of the shard from the position on, which tells `events` what fails; it begins to fetch at once. */
  create(
    stream: ConsumedStream,
    shardId: string,
    position: StartingPosition,
    events: EventPublisher<ConsumerEvent>,
  ): ShardReader {
    const { options, kinesis, system } = this.#wiring;
    const common = {
      kinesis,
      system,
      events,
      stream: stream.ref,
      shardId,
      position,
      prefetchMaxBytes: options.prefetchMaxBytes,
      budget: this.#budget,
    };
    const consumerArn = this.#consumers.get(stream.leaseKeyPrefix);
    if (this.#fanOut !== undefined && consumerArn !== undefined) {
      const key = `${stream.leaseKeyPrefix}${shardId}`;
      return new FanOutReader({
        ...common,
        fanOut: this.#fanOut,
        consumerArn: () => this.#consumers.get(stream.leaseKeyPrefix) ?? consumerArn,
        onConsumerMissing: () => this.#findConsumerAgain(stream),
        lastSubscribedAt: this.#subscribedAt.get(key),
        onSubscribed: (at) => this.#subscribedAt.set(key, at),
      });
    }
    const { pollIntervalMs, maxRecordsPerCall } = options;
    return new PollingReader({ ...common, pollIntervalMs, maxRecordsPerCall });
  }
}
