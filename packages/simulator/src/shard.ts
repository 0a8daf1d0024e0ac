/**
 * Pure. One shard: its records in order, what was trimmed of them, and what it may still take and give.
 */
import type { Limits } from "./limits.ts";
import { toHex } from "./hash-key.ts";
import { RateBucket } from "./rate-bucket.ts";
import { RecordLog, type StoredRecord } from "./record-log.ts";
import type { SavedShard } from "./saved-shard.ts";
import { SequenceNumbers } from "./sequence-number.ts";
import { ServiceError } from "./service-error.ts";

/** What every shard is made from. */
export interface ShardFields {
  readonly index: number;
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
  readonly parentShardId?: string | undefined;
  readonly adjacentParentShardId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly createdWallMs: number;
  /** Second in the shard's sequence numbers; later than its parents'. */
  readonly createdSecond: number;
  readonly nowMs: number;
  readonly limits: Limits;
  readonly maxRecordBytes: number;
}

export function shardIdOf(index: number): string {
  return `shardId-${String(index).padStart(12, "0")}`;
}

export class Shard {
  readonly shardId: string;
  readonly index: number;
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
  /** The range's ends as 32 hexadecimal digits. */
  readonly startHex: string;
  readonly endHex: string;
  readonly parentShardId: string | undefined;
  readonly adjacentParentShardId: string | undefined;
  readonly createdWallMs: number;
  readonly createdSecond: number;
  readonly startingSequenceNumber: string;
  /** Its records, by counter. */
  readonly log = new RecordLog();
  readonly readCalls: RateBucket;
  readonly readBytes: RateBucket;
  readonly iteratorCalls: RateBucket;
  readonly childShardIds: string[] = [];
  /** Called after something was stored, and when the shard has been closed. */
  readonly watchers = new Set<() => void>();
  readonly #numbers: SequenceNumbers;
  readonly #limits: Limits;
  readonly #writeRecords: RateBucket;
  #writeBytes: RateBucket;
  #closedWallMs: number | undefined;
  #endingSequenceNumber: string | undefined;

  constructor(fields: ShardFields) {
    const { limits, nowMs } = fields;
    this.index = fields.index;
    this.shardId = shardIdOf(fields.index);
    this.startingHashKey = fields.startingHashKey;
    this.endingHashKey = fields.endingHashKey;
    this.startHex = toHex(fields.startingHashKey);
    this.endHex = toHex(fields.endingHashKey);
    this.parentShardId = fields.parentShardId;
    this.adjacentParentShardId = fields.adjacentParentShardId;
    this.createdWallMs = fields.createdWallMs;
    this.createdSecond = fields.createdSecond;
    this.#numbers = new SequenceNumbers(fields.index, fields.createdSecond);
    this.startingSequenceNumber = this.#numbers.format(0, fields.createdSecond);
    this.#limits = limits;
    const { shardWriteRecordsPerSecond: records, shardReadCallsPerSecond: calls } = limits;
    this.#writeRecords = new RateBucket(records, records, nowMs);
    this.#writeBytes = this.#createWriteBytes(fields.maxRecordBytes, nowMs);
    this.readCalls = new RateBucket(calls, calls, nowMs);
    this.readBytes = new RateBucket(limits.shardReadBytesPerSecond, limits.shardReadBytesPerSecond, nowMs);
    this.iteratorCalls = new RateBucket(limits.shardIteratorsPerSecond, limits.shardIteratorsPerSecond, nowMs);
  }

  get isOpen(): boolean {
    return this.#closedWallMs === undefined;
  }

  /** When it was closed, milliseconds since 1970; undefined while it is open. */
  get closedWallMs(): number | undefined {
    return this.#closedWallMs;
  }

  get endingSequenceNumber(): string | undefined {
    return this.#endingSequenceNumber;
  }

  /** Takes a record's share of the write throughput; false when there is none left. */
  takeWrite(bytes: number, nowMs: number): boolean {
    if (!this.#writeRecords.has(1, nowMs) || !this.#writeBytes.has(bytes, nowMs)) return false;
    this.#writeRecords.take(1, nowMs);
    this.#writeBytes.take(bytes, nowMs);
    return true;
  }

  /** Another maximum for its stream's records; the bytes it may take at once follow. */
  setMaxRecordBytes(maxRecordBytes: number, nowMs: number): void {
    this.#writeBytes = this.#createWriteBytes(maxRecordBytes, nowMs);
  }

  /** Stores a record at the tip. */
  append(data: Uint8Array, partitionKey: string | undefined, keyBytes: number, encrypted: boolean, wallMs: number) {
    const record: StoredRecord = {
      sequenceNumber: this.#numbers.format(this.log.tip, Math.max(this.createdSecond, Math.floor(wallMs / 1000))),
      data,
      partitionKey,
      arrivalMs: wallMs,
      encrypted,
      bytes: data.byteLength + keyBytes,
    };
    this.log.push(record);
    return record;
  }

  notifyWatchers(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** Takes no more records; what is stored can be read until it is trimmed. */
  close(wallMs: number, childShardIds: readonly string[]): void {
    this.#closedWallMs = wallMs;
    this.#endingSequenceNumber = this.#numbers.formatEnd(Math.max(this.createdSecond, Math.floor(wallMs / 1000)));
    this.childShardIds.push(...childShardIds);
    this.notifyWatchers();
  }

  /** Everything but its records. */
  save(): SavedShard {
    return {
      start: this.startHex,
      end: this.endHex,
      parent: this.parentShardId,
      adjacentParent: this.adjacentParentShardId,
      createdWallMs: this.createdWallMs,
      createdSecond: this.createdSecond,
      closedWallMs: this.#closedWallMs,
      endingSequenceNumber: this.#endingSequenceNumber,
      children: this.childShardIds,
      trimHorizon: this.log.trimHorizon,
      tip: this.log.tip,
    };
  }

  /** What became of a shard after it was made; its log begins where the saved one did. */
  restore(saved: SavedShard): void {
    this.#closedWallMs = saved.closedWallMs;
    this.#endingSequenceNumber = saved.endingSequenceNumber;
    this.childShardIds.push(...saved.children);
    this.log.beginAt(saved.trimHorizon);
  }

  /** Counter of the first record at (or after) a sequence number; undefined when the number is none of this shard's. */
  counterOf(sequenceNumber: string, inclusive: boolean): number | undefined {
    const place = this.#numbers.parse(sequenceNumber);
    if (place === undefined) return undefined;
    const counter = Math.min(place.counter, this.log.tip);
    const record = this.log.recordAt(counter);
    if (record === undefined) return place.counter < this.log.tip ? place.counter + 1 : this.log.tip;
    const stored = BigInt(record.sequenceNumber);
    return stored > place.value || (inclusive && stored === place.value) ? counter : counter + 1;
  }

  /** A sequence number that everything before `counter` precedes or equals, and everything from it on follows. */
  continuationAt(counter: number, wallMs: number): string {
    if (!this.isOpen && counter >= this.log.tip && this.#endingSequenceNumber !== undefined) {
      return this.#endingSequenceNumber;
    }
    const record = this.log.recordAt(counter - 1);
    if (counter < this.log.tip && record !== undefined) return record.sequenceNumber;
    const second = Math.max(this.createdSecond, Math.floor(wallMs / 1000));
    const arrivalSecond = record === undefined ? 0 : Math.floor(record.arrivalMs / 1000);
    return this.#numbers.format(counter - 1, Math.max(second, arrivalSecond));
  }

  /** True when a number can be the bound of a record to come: none of the future. */
  precedesTip(sequenceNumber: string, wallMs: number): boolean {
    return BigInt(sequenceNumber) < BigInt(this.#numbers.format(this.log.tip, Math.floor(wallMs / 1000)));
  }

  #createWriteBytes(maxRecordBytes: number, nowMs: number): RateBucket {
    const { shardWriteBytesPerSecond: perSecond, shardWriteBurstBytes: burst } = this.#limits;
    const capacity = maxRecordBytes > perSecond ? Math.max(perSecond, Math.min(burst, maxRecordBytes)) : perSecond;
    return new RateBucket(perSecond, capacity, nowMs);
  }
}

/** The answer of a shard that has no throughput left. */
export function throughputExceeded(shardId: string, streamName: string, accountId: string): ServiceError {
  return new ServiceError(
    "ProvisionedThroughputExceededException",
    `Rate exceeded for shard ${shardId} in stream ${streamName} under account ${accountId}.`,
  );
}
