/**
 * Pure. Counts what AWS would bill, and says what it comes to.
 */
import { listPrices, type Prices } from "./prices.ts";

/** One line of the bill. */
export interface BillLine {
  readonly item: string;
  readonly quantity: number;
  readonly unit: string;
  readonly usd: number;
}

/** What was billed so far, line by line. */
export interface Bill {
  readonly lines: readonly BillLine[];
  readonly totalUsd: number;
  readonly prices: Prices;
}

/** What was done so far. */
export interface MeterCounts {
  /** Calls by action, refused ones too. */
  readonly calls: Readonly<Record<string, number>>;
  /** Calls that failed, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Kinesis records stored, and their bytes with keys. */
  readonly recordsIn: number;
  readonly bytesIn: number;
  /** Entries of PutRecords and PutRecord calls that a shard refused for its throughput. */
  readonly recordsThrottled: number;
  /** Records returned by GetRecords and by subscriptions, and their bytes. */
  readonly recordsOut: number;
  readonly bytesOut: number;
  /** Records removed because the simulator's memory was full, before their retention ended. */
  readonly recordsTrimmedForMemory: number;
}

/** What of a stream is billed by time. */
export interface Rent {
  readonly openShards: number;
  readonly onDemand: boolean;
  readonly retentionHours: number;
  readonly consumers: number;
}

const gigabyte = 1e9;
const hourMs = 3_600_000;

/** The meter of one simulated account. */
export class BillingMeter {
  readonly #prices: Prices;
  readonly #clock: () => number;
  readonly #rents = new Map<string, { rent: Rent; sinceMs: number }>();
  readonly #calls: Record<string, number> = {};
  readonly #failures: Record<string, number> = {};
  readonly #hours = { shard: 0, extendedRetention: 0, fanOut: 0, onDemandStream: 0 };
  readonly #dynamoDb = { writeUnits: 0, readUnits: 0 };
  #payloadUnits = 0;
  #onDemandInBytes = 0;
  #onDemandOutBytes = 0;
  #fanOutBytes = 0;
  #recordsIn = 0;
  #bytesIn = 0;
  #recordsThrottled = 0;
  #recordsOut = 0;
  #bytesOut = 0;
  #trimmed = 0;
  /** True while the account has the throughput commitment. */
  advantage = false;

  /** `clock` gives milliseconds on the service's steady clock. */
  constructor(clock: () => number, prices: Prices = listPrices) {
    this.#clock = clock;
    this.#prices = prices;
  }

  /** What was done so far. */
  counts(): MeterCounts {
    return {
      calls: { ...this.#calls },
      failures: { ...this.#failures },
      recordsIn: this.#recordsIn,
      bytesIn: this.#bytesIn,
      recordsThrottled: this.#recordsThrottled,
      recordsOut: this.#recordsOut,
      bytesOut: this.#bytesOut,
      recordsTrimmedForMemory: this.#trimmed,
    };
  }

  /** What it would cost so far, by the list prices in US dollars. */
  bill(): Bill {
    for (const streamArn of this.#rents.keys()) this.#accrue(streamArn);
    const prices = this.#prices;
    const { advantage } = this;
    const lines: BillLine[] = [];
    const add = (item: string, quantity: number, unit: string, price: number) => {
      if (quantity > 0) lines.push({ item, quantity, unit, usd: quantity * price });
    };
    add("Shards", this.#hours.shard, "shard-hours", prices.shardHour);
    add("PUT payload units", this.#payloadUnits, `units of ${prices.payloadUnitBytes} bytes`, prices.putPayloadUnit);
    add("Retention above 24 hours", this.#hours.extendedRetention, "shard-hours", prices.extendedRetentionShardHour);
    add(
      "Fan-out consumers",
      advantage ? 0 : this.#hours.fanOut,
      "consumer-shard-hours",
      prices.fanOutConsumerShardHour,
    );
    add("Fan-out retrieval", advantage ? 0 : this.#fanOutBytes / gigabyte, "GB", prices.fanOutGB);
    add("On-demand streams", advantage ? 0 : this.#hours.onDemandStream, "stream-hours", prices.onDemandStreamHour);
    const [inPrice, outPrice] = advantage
      ? [prices.advantageInGB, prices.advantageOutGB]
      : [prices.onDemandInGB, prices.onDemandOutGB];
    add("On-demand data in", this.#onDemandInBytes / gigabyte, "GB", inPrice);
    add("On-demand data out", this.#onDemandOutBytes / gigabyte, "GB", outPrice);
    add("DynamoDB writes", this.#dynamoDb.writeUnits, "write units", prices.dynamoDbWriteUnit);
    add("DynamoDB reads", this.#dynamoDb.readUnits, "read units", prices.dynamoDbReadUnit);
    return { lines, totalUsd: lines.reduce((sum, line) => sum + line.usd, 0), prices };
  }

  /**
   * Adds request units of the lease table, which stands elsewhere: 1 KB a write unit, 4 KB a read unit
   * (8 KB eventually consistent).
   */
  addDynamoDb(units: { readonly writeUnits?: number; readonly readUnits?: number }): void {
    this.#dynamoDb.writeUnits += units.writeUnits ?? 0;
    this.#dynamoDb.readUnits += units.readUnits ?? 0;
  }

  /** @internal */
  countCall(action: string): void {
    this.#calls[action] = (this.#calls[action] ?? 0) + 1;
  }

  /** @internal */
  countFailure(code: string): void {
    this.#failures[code] = (this.#failures[code] ?? 0) + 1;
  }

  /** @internal */
  countStored(bytes: number, onDemand: boolean): void {
    this.#recordsIn++;
    this.#bytesIn += bytes;
    // On-demand bills each record rounded up to 1 KB.
    if (onDemand) this.#onDemandInBytes += Math.ceil(bytes / 1024) * 1024;
    else this.#payloadUnits += Math.max(1, Math.ceil(bytes / this.#prices.payloadUnitBytes));
  }

  /** @internal */
  countThrottledRecord(): void {
    this.#recordsThrottled++;
  }

  /** @internal */
  countRead(records: number, bytes: number, how: { readonly onDemand: boolean; readonly fanOut: boolean }): void {
    this.#recordsOut += records;
    this.#bytesOut += bytes;
    if (how.onDemand) this.#onDemandOutBytes += bytes;
    if (how.fanOut) this.#fanOutBytes += bytes;
  }

  /** @internal */
  countTrimmedForMemory(): void {
    this.#trimmed++;
  }

  /** What a stream costs by the hour from now on; undefined once it is deleted. @internal */
  setRent(streamArn: string, rent: Rent | undefined): void {
    this.#accrue(streamArn);
    if (rent === undefined) this.#rents.delete(streamArn);
    else this.#rents.set(streamArn, { rent, sinceMs: this.#clock() });
  }

  #accrue(streamArn: string): void {
    const entry = this.#rents.get(streamArn);
    if (entry === undefined) return;
    const now = this.#clock();
    const hours = (now - entry.sinceMs) / hourMs;
    entry.sinceMs = now;
    const { openShards, onDemand, retentionHours, consumers } = entry.rent;
    const shardHours = openShards * hours;
    if (onDemand) this.#hours.onDemandStream += hours;
    else this.#hours.shard += shardHours;
    if (retentionHours > 24) this.#hours.extendedRetention += shardHours;
    this.#hours.fanOut += consumers * shardHours;
  }
}
