/**
 * Driver. What the actions work on: the account's streams, the time, the limits, the meter.
 */
import type { BillingMeter } from "./billing.ts";
import type { Limits } from "./limits.ts";
import { RateBucket } from "./rate-bucket.ts";
import type { ServiceClock } from "./service-clock.ts";
import { RecordMemory } from "./record-memory.ts";
import { ServiceError } from "./service-error.ts";
import type { Moment, Stream } from "./stream.ts";
import type { StreamConsumer } from "./stream-consumer.ts";
import type { Subscription } from "./subscription.ts";
import type { TokenSeal } from "./tokens.ts";

/** How an input names a stream. */
export interface StreamInput {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

/** The "minimum throughput billing commitment", times in milliseconds since 1970; it runs while `startedMs` is set. */
export interface Commitment {
  startedMs: number | undefined;
  /** When it ends, once that was asked for. */
  endsMs: number | undefined;
}

export interface StateFields {
  readonly accountId: string;
  readonly region: string;
  readonly limits: Limits;
  readonly clock: ServiceClock;
  readonly meter: BillingMeter;
  readonly seal: TokenSeal;
  /** How long a stream stays in CREATING, UPDATING and DELETING. */
  readonly transitionMs: number;
  readonly maxStoredBytes: number;
}

export class ServiceState {
  readonly accountId: string;
  readonly region: string;
  readonly limits: Limits;
  readonly clock: ServiceClock;
  readonly meter: BillingMeter;
  readonly seal: TokenSeal;
  readonly transitionMs: number;
  readonly memory: RecordMemory;
  readonly streams = new Map<string, Stream>();
  /** Open subscriptions by consumer ARN and shard id. */
  readonly subscriptions = new Map<string, Subscription>();
  /** The account's throughput commitment. */
  readonly commitment: Commitment = { startedMs: undefined, endsMs: undefined };
  /** Resource policies by ARN. */
  readonly policies = new Map<string, string>();
  readonly #callRates = new Map<string, RateBucket>();

  constructor(fields: StateFields) {
    this.accountId = fields.accountId;
    this.region = fields.region;
    this.limits = fields.limits;
    this.clock = fields.clock;
    this.meter = fields.meter;
    this.seal = fields.seal;
    this.transitionMs = fields.transitionMs;
    this.memory = new RecordMemory(fields.maxStoredBytes, this.streams, fields.meter);
  }

  moment(): Moment {
    return { nowMs: this.clock.steadyMs(), wallMs: this.clock.wallMs() };
  }

  arnOf(streamName: string): string {
    return `arn:aws:kinesis:${this.region}:${this.accountId}:stream/${streamName}`;
  }

  /**
   * The stream that an input names, by name, by ARN, or by both when they agree.
   * @throws {ServiceError} ResourceNotFoundException, InvalidArgumentException.
   */
  stream(input: StreamInput): Stream {
    const { StreamName: name, StreamARN: arn } = input;
    if (name === undefined && arn === undefined) {
      throw new ServiceError("InvalidArgumentException", "Either StreamName or StreamARN must be given.");
    }
    const named = arn === undefined ? name : arn.slice(arn.indexOf(":stream/") + ":stream/".length);
    if (name !== undefined && named !== name) {
      throw new ServiceError("InvalidArgumentException", `StreamName ${name} is not the stream of StreamARN ${arn}.`);
    }
    const stream = this.streams.get(named ?? "");
    if (stream !== undefined && (arn === undefined || arn === stream.streamArn)) return stream;
    const account = arn?.split(":")[4] ?? this.accountId;
    throw this.streamNotFound(named ?? "", account);
  }

  /**
   * A consumer by its ARN, or by its stream's ARN and its name.
   * @throws {ServiceError} ResourceNotFoundException, InvalidArgumentException.
   */
  consumer(input: {
    readonly StreamARN?: string | undefined;
    readonly ConsumerName?: string | undefined;
    readonly ConsumerARN?: string | undefined;
  }): { readonly stream: Stream; readonly consumer: StreamConsumer } {
    const { StreamARN: streamArn, ConsumerName: name, ConsumerARN: arn } = input;
    if (arn === undefined && (streamArn === undefined || name === undefined)) {
      throw new ServiceError(
        "InvalidArgumentException",
        "Either ConsumerARN, or StreamARN and ConsumerName must be given.",
      );
    }
    const stream = this.stream({ StreamARN: arn === undefined ? streamArn : arn.slice(0, arn.indexOf("/consumer/")) });
    for (const consumer of stream.consumers.values()) {
      const isIt = arn === undefined ? consumer.consumerName === name : consumer.consumerArn === arn;
      if (isIt && (name === undefined || consumer.consumerName === name)) return { stream, consumer };
    }
    throw new ServiceError(
      "ResourceNotFoundException",
      `Consumer ${arn ?? name} of stream ${stream.streamName} under account ${this.accountId} not found.`,
    );
  }

  streamNotFound(streamName: string, accountId = this.accountId): ServiceError {
    return new ServiceError("ResourceNotFoundException", `Stream ${streamName} under account ${accountId} not found.`);
  }

  /**
   * A stream that takes and gives records.
   * @throws {ServiceError} ResourceNotFoundException also while it is being created or deleted.
   */
  readableStream(input: StreamInput): Stream {
    const stream = this.stream(input);
    if (stream.status === "ACTIVE" || stream.status === "UPDATING") return stream;
    throw this.streamNotFound(stream.streamName);
  }

  /**
   * A stream that can be changed.
   * @throws {ServiceError} ResourceInUseException unless it is ACTIVE.
   */
  activeStream(input: StreamInput): Stream {
    const stream = this.stream(input);
    if (stream.status !== "ACTIVE") {
      throw new ServiceError(
        "ResourceInUseException",
        `Stream ${stream.streamName} under account ${this.accountId} not ACTIVE, instead in state ${stream.status}`,
      );
    }
    return stream;
  }

  /** Runs `change` once the stream has been in `status` for as long as such a change takes; then it is ACTIVE. */
  transition(stream: Stream, status: "CREATING" | "UPDATING", change?: (moment: Moment) => void): void {
    stream.status = status;
    const finish = () => {
      if (stream.status !== status) return;
      change?.(this.moment());
      stream.status = "ACTIVE";
      this.updateRent(stream);
    };
    if (this.transitionMs === 0) finish();
    else this.clock.schedule(this.transitionMs, finish);
  }

  updateRent(stream: Stream): void {
    const gone = this.streams.get(stream.streamName) !== stream;
    this.meter.setRent(
      stream.streamArn,
      gone
        ? undefined
        : {
            openShards: stream.openShards.length,
            onDemand: stream.mode === "ON_DEMAND",
            retentionHours: stream.retentionHours,
            consumers: stream.consumers.size,
          },
    );
  }

  /** Forgets a stream with everything in it. */
  removeStream(stream: Stream): void {
    this.memory.forget(stream);
    this.streams.delete(stream.streamName);
    this.updateRent(stream);
    for (const shard of stream.shards) shard.notifyWatchers();
  }

  /** Open shards of all provisioned streams. */
  openShardCount(): number {
    let count = 0;
    for (const stream of this.streams.values()) {
      if (stream.mode === "PROVISIONED") count += stream.openShards.length;
    }
    return count;
  }

  /**
   * Takes one call of a rate.
   * @throws {ServiceError} LimitExceededException when the rate is used up.
   */
  takeCall(rateName: string, perSecond: number): void {
    if (perSecond === Infinity) return;
    const nowMs = this.clock.steadyMs();
    let bucket = this.#callRates.get(rateName);
    if (bucket === undefined) {
      bucket = new RateBucket(perSecond, perSecond, nowMs);
      this.#callRates.set(rateName, bucket);
    }
    if (!bucket.has(1, nowMs)) throw new ServiceError("LimitExceededException", `Rate exceeded for ${rateName}.`);
    bucket.take(1, nowMs);
  }
}
