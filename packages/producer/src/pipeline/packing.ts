/**
 * Pure. Decides which Kinesis records are compressed, and holds those whose compression is under way.
 *
 * Compression stands between closing an aggregate and the limiter, which counts the bytes that are sent. A record that
 * loses a member on its way is compressed again: its bytes hold what its caller has taken back. An aggregate never holds
 * more than a Kinesis record may, so that one that does not shrink can go as it is.
 */
import { sealAggregates, wrapCompressed, type CompressionAlgorithm } from "@millrace/aggregation";
import { aggregateAgain } from "./closed-aggregate.ts";
import type { Effect } from "./effects.ts";
import type { OutgoingRecord, PendingRecord } from "./records.ts";

/** Less than this is not worth the reader's work. */
const minBytes = 1_024;
/** A compressed record is sent when it has at most this share of the bytes. */
const worthwhileShare = 0.9;
/** What an aggregate may hold before compression: with less than this even the smallest limit of a stream is kept. */
const maxPlainBytes = 1_048_576;
/** How much of the expected ratio is used, since data vary. */
const ratioShare = 0.9;
/** How much the newest ratio weighs. */
const newestWeight = 0.3;
/** Compressions under way past which aggregates that are due stay open and fill further. */
const maxUnderWay = 8;

export interface PackingOptions {
  readonly compression: CompressionAlgorithm;
  readonly aggregationMaxBytes: number;
}

export class Packing {
  readonly #options: PackingOptions;
  readonly #emit: (effect: Effect) => void;
  readonly #underWay = new Set<OutgoingRecord>();
  /** Bytes before over bytes after compression, as of late. */
  #ratio = 1;

  constructor(options: PackingOptions, emit: (effect: Effect) => void) {
    this.#options = options;
    this.#emit = emit;
  }

  get isEmpty(): boolean {
    return this.#underWay.size === 0;
  }

  /** True when more would only wait. */
  get isBusy(): boolean {
    return this.#underWay.size >= maxUnderWay;
  }

  /** What an aggregate should hold, to have `aggregationMaxBytes` once it is compressed. `limitBytes` is the stream's. */
  targetBytes(limitBytes: number | undefined): number {
    const { aggregationMaxBytes } = this.#options;
    const expected = Math.floor(aggregationMaxBytes * this.#ratio * ratioShare);
    const limit = Math.min(maxPlainBytes, limitBytes ?? maxPlainBytes);
    return Math.max(aggregationMaxBytes, Math.min(expected, limit));
  }

  /** Begins the compression of a record, unless it is not to be compressed. True when it did. */
  begin(outgoing: OutgoingRecord): boolean {
    const { packing, alone, shardId, plainBytes } = outgoing;
    // Without a prediction the hash key of the first record says nothing of the shard.
    if (packing !== "plain" || alone || shardId === undefined || plainBytes < minBytes) return false;
    this.#underWay.add(outgoing);
    // Also one that would go without: its reader takes what it opens for an aggregate.
    outgoing.built =
      outgoing.members.length > 1 && outgoing.built !== undefined
        ? outgoing.built
        : aggregateAgain(outgoing, { wrap: true });
    sealAggregates([outgoing.built]);
    this.#emit({ type: "compress", outgoing, aggregate: outgoing.built });
    return true;
  }

  /**
   * Takes in what came of a compression; undefined where it failed. False when the record is not here any more.
   */
  finish(outgoing: OutgoingRecord, compressed: Uint8Array | undefined): boolean {
    if (!this.#underWay.delete(outgoing)) return false;
    const { built } = outgoing;
    outgoing.packing = "incompressible";
    if (built === undefined || compressed === undefined) return true;
    const { compression } = this.#options;
    const packed = wrapCompressed(built, compressed, compression);
    const packedBytes =
      packed === undefined ? Infinity : packed.data.byteLength + Buffer.byteLength(packed.partitionKey);
    const { plainBytes } = outgoing;
    if (outgoing.members.length > 1) {
      const ratio = Math.max(1, plainBytes / packedBytes);
      this.#ratio += newestWeight * (ratio - this.#ratio);
    }
    if (packedBytes > worthwhileShare * plainBytes) return true;
    outgoing.packing = "compressed";
    outgoing.built = packed;
    outgoing.sizeBytes = packedBytes;
    return true;
  }

  /** Everything whose compression is under way. */
  queued(): Iterable<OutgoingRecord> {
    return this.#underWay;
  }

  /** Takes out everything. */
  drain(): PendingRecord[] {
    const members = [...this.#underWay].flatMap((outgoing) => outgoing.members);
    this.#underWay.clear();
    return members;
  }
}
