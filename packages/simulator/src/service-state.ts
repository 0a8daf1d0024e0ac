/**
 * Driver. What the actions work on: the account's streams, the time, the limits, the meter.
 */
import type { BillingMeter } from "./billing.ts";
import type { Limits } from "./limits.ts";
import { RateBucket } from "./rate-bucket.ts";
import type { ServiceClock } from "./service-clock.ts";
import { ServiceError } from "./service-error.ts";
import type { Shard } from "./shard.ts";
import type { Moment, Stream } from "./stream.ts";
import type { TokenSeal } from "./tokens.ts";

/** How an input names a stream. */
export interface StreamInput {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
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
  readonly maxStoredBytes: number;
  readonly streams = new Map<string, Stream>();
  /** Resource policies by ARN. */
  readonly policies = new Map<string, string>();
  readonly #callRates = new Map<string, RateBucket>();
  #storedBytes = 0;
  #warnedOfTrimming = false;

  constructor(fields: StateFields) {
    this.accountId = fields.accountId;
    this.region = fields.region;
    this.limits = fields.limits;
    this.clock = fields.clock;
    this.meter = fields.meter;
    this.seal = fields.seal;
    this.transitionMs = fields.transitionMs;
    this.maxStoredBytes = fields.maxStoredBytes;
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

  /** Counts a stored record. */
  countStored(bytes: number, onDemand: boolean): void {
    this.#storedBytes += bytes;
    this.meter.countStored(bytes, onDemand);
  }

  /** Removes what is past its stream's retention from a shard. */
  trimExpired(stream: Stream, shard: Shard): void {
    const oldest = shard.log.oldest;
    if (oldest === undefined) return;
    const horizonMs = stream.horizonMs(this.clock.wallMs());
    if (oldest.arrivalMs < horizonMs) this.#storedBytes -= shard.log.trimBefore(horizonMs);
  }

  /** Forgets a stream with everything in it. */
  removeStream(stream: Stream): void {
    this.#storedBytes -= stream.storedBytes;
    this.streams.delete(stream.streamName);
    this.updateRent(stream);
    for (const shard of stream.shards) shard.notifyWatchers();
  }

  /** Keeps memory under its cap: the oldest records of all streams go first. */
  trimForMemory(): void {
    if (this.#storedBytes <= this.maxStoredBytes) return;
    // A margin, so that the search is not made again for the next record.
    const target = this.maxStoredBytes * 0.95;
    while (this.#storedBytes > target) {
      const shard = this.#shardWithOldestRecord();
      if (shard === undefined) return;
      const before = this.#storedBytes;
      const until = Math.max(target, before - this.maxStoredBytes / 100);
      while (this.#storedBytes > until && shard.log.oldest !== undefined) {
        this.#storedBytes -= shard.log.trimOldest();
        this.meter.countTrimmedForMemory();
      }
    }
    if (this.#warnedOfTrimming) return;
    this.#warnedOfTrimming = true;
    process.emitWarning(
      `@millrace/simulator: more than ${this.maxStoredBytes} bytes are stored (maxStoredBytes); the oldest records are trimmed before their retention ends`,
      { code: "MILLRACE_SIMULATOR_TRIMMED" },
    );
  }

  #shardWithOldestRecord(): Shard | undefined {
    let found: Shard | undefined;
    let oldestMs = Infinity;
    for (const stream of this.streams.values()) {
      for (const shard of stream.shards) {
        const arrivalMs = shard.log.oldest?.arrivalMs ?? Infinity;
        if (arrivalMs < oldestMs) [found, oldestMs] = [shard, arrivalMs];
      }
    }
    return found;
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
