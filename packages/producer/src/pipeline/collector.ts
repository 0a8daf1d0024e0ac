/**
 * Pure. Gathers Kinesis records that may go now into PutRecords requests.
 *
 * A request goes when it is full, when one shard's share of it is large, or when its most urgent record is due.
 * Source of the limits: PutRecords, 500 records and 10 MiB with their keys; KPL's `collector.h` for 256 KiB per shard.
 */
import { Fifo } from "./fifo.ts";
import type { OutgoingRecord } from "./records.ts";

/** A request with this much for one shard goes at once: more would only make that shard throttle. */
const shardMaxBytes = 262_144;

export class Collector {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #ready = new Fifo<OutgoingRecord>();
  readonly #bytesOfShard = new Map<string, number>();
  #bytes = 0;
  #dueAt = Infinity;
  #hasFullShard = false;

  constructor(options: { readonly collectionMaxRecords: number; readonly collectionMaxBytes: number }) {
    this.#maxRecords = options.collectionMaxRecords;
    this.#maxBytes = options.collectionMaxBytes;
  }

  add(outgoing: OutgoingRecord): void {
    this.#ready.push(outgoing);
    this.#count(outgoing);
  }

  /** True when a request should go whatever the time. */
  get isFull(): boolean {
    return this.#hasFullShard || this.#ready.length >= this.#maxRecords || this.#bytes >= this.#maxBytes;
  }

  /** When the most urgent record is due; Infinity when there is none. */
  get dueAt(): number {
    return this.#ready.length === 0 ? Infinity : this.#dueAt;
  }

  /** Makes everything due. */
  expedite(now: number): void {
    this.#dueAt = Math.min(this.#dueAt, now);
  }

  /** The records of one request, within its limits; the rest stays. Empty when there are none. */
  take(): OutgoingRecord[] {
    const taken: OutgoingRecord[] = [];
    let bytes = 0;
    for (let next = this.#ready.peek(); next !== undefined; next = this.#ready.peek()) {
      if (taken.length > 0 && bytes + next.sizeBytes > this.#maxBytes) break;
      this.#ready.shift();
      taken.push(next);
      bytes += next.sizeBytes;
      if (taken.length === this.#maxRecords) break;
    }
    // With a whole request's records left the next one goes whatever the counts say; in a backlog, counting all of it
    // again for each request would cost more than sending it.
    if (this.#ready.length < this.#maxRecords) this.#recount();
    return taken;
  }

  /** Keeps what `keep` says yes to. */
  filter(keep: (outgoing: OutgoingRecord) => boolean): void {
    this.#ready.filter(keep);
    this.#recount();
  }

  drain(): OutgoingRecord[] {
    const drained = this.#ready.drain();
    this.#recount();
    return drained;
  }

  get isEmpty(): boolean {
    return this.#ready.length === 0;
  }

  queued(): Iterable<OutgoingRecord> {
    return this.#ready;
  }

  #count(outgoing: OutgoingRecord): void {
    this.#bytes += outgoing.sizeBytes;
    this.#dueAt = Math.min(this.#dueAt, outgoing.deadline);
    if (outgoing.shardId === undefined) return;
    const bytes = (this.#bytesOfShard.get(outgoing.shardId) ?? 0) + outgoing.sizeBytes;
    this.#bytesOfShard.set(outgoing.shardId, bytes);
    if (bytes >= shardMaxBytes) this.#hasFullShard = true;
  }

  #recount(): void {
    this.#bytes = 0;
    this.#dueAt = Infinity;
    this.#hasFullShard = false;
    this.#bytesOfShard.clear();
    for (const outgoing of this.#ready) this.#count(outgoing);
  }
}
