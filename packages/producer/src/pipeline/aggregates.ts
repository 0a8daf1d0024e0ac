/**
 * Pure. The aggregates that are being filled: at most one for each predicted shard, or for each partition key.
 *
 * All user records of an aggregate are predicted to be in one shard; what else ties them together is `aggregationKey`. An
 * aggregate is closed when the next record does not fit, when it has enough records, or when its oldest record is due.
 */
import { Aggregator } from "@millrace/aggregation";
import type { AggregationKey } from "../options.ts";
import { outgoingOf, type FilledAggregate } from "./closed-aggregate.ts";
import { loneRecord, type OutgoingRecord, type PendingRecord } from "./records.ts";

/** Partition key of an aggregate by default. Source: KPL aws/kinesis/core/kinesis_record.cc. */
const kplOuterKey = "a";
/**
 * With an aggregate for each partition key, keys are without number: past this many open aggregates the oldest is closed
 * before its time. Each takes some kilobytes on top of its records.
 */
const maxOpenPerKey = 4_096;
/** Enough for the shards whose aggregates close at one time; each keeps at most the size of an aggregate. */
const maxSpareAggregators = 64;

interface OpenAggregate extends FilledAggregate {
  /** What its members have in common: the place in `#open`. */
  readonly slot: string;
  /** Made for the second member: one that stays alone goes out as it is. */
  aggregator: Aggregator | undefined;
  deadline: number;
  expiresAt: number;
}

export class OpenAggregates {
  #maxBytes: number;
  readonly #maxRecords: number;
  readonly #aggregationKey: AggregationKey;
  readonly #open = new Map<string, OpenAggregate>();
  /** Aggregators to fill again: their memory is what most of an aggregate's cost would be. */
  readonly #spare: Aggregator[] = [];
  /** Never after the earliest deadline of an aggregate that may close. */
  #dueAt = Infinity;
  #hasHeldBack = false;

  constructor(options: {
    readonly aggregationMaxBytes: number;
    readonly aggregationMaxRecords: number;
    readonly aggregationKey: AggregationKey;
  }) {
    this.#maxBytes = options.aggregationMaxBytes;
    this.#maxRecords = options.aggregationMaxRecords;
    this.#aggregationKey = options.aggregationKey;
  }

  /** What an aggregate and its key may take from now on. */
  set maxBytes(bytes: number) {
    this.#maxBytes = bytes;
  }

  /** True when a record is small enough to share an aggregate. */
  takes(pending: PendingRecord): boolean {
    return pending.sizeBytes < this.#maxBytes && !pending.mustBeAlone;
  }

  /** Adds a record to the open aggregate that it belongs to if it fits there; else closes that and gives it. */
  join(pending: PendingRecord, shardId: string): { readonly joined: boolean; readonly closed?: OutgoingRecord } {
    const open = this.#open.get(this.#slotOf(pending, shardId));
    if (open === undefined) return { joined: false };
    if (!this.#addTo(open, pending)) {
      this.#open.delete(open.slot);
      return { joined: false, closed: this.#close(open) };
    }
    if (open.members.length < this.#maxRecords) return { joined: true };
    this.#open.delete(open.slot);
    return { joined: true, closed: this.#close(open) };
  }

  /** Adds a record and gives what it closed: nothing most of the time, else one that may be for another shard. */
  add(pending: PendingRecord, shardId: string): OutgoingRecord | undefined {
    if (!this.takes(pending)) return loneRecord(pending, shardId, pending.mustBeAlone);
    const slot = this.#slotOf(pending, shardId);
    const open = this.#open.get(slot);
    if (open === undefined) {
      const oldest = this.#takeSurplus();
      this.#start(pending, shardId, slot);
      return oldest;
    }
    if (!this.#addTo(open, pending)) {
      this.#open.delete(slot);
      this.#start(pending, shardId, slot);
      return this.#close(open);
    }
    if (open.members.length < this.#maxRecords) return undefined;
    this.#open.delete(slot);
    return this.#close(open);
  }

  /** When an aggregate may be due: never late, sometimes early. Infinity when there is none but held back ones. */
  get dueAt(): number {
    return this.#open.size === 0 ? Infinity : this.#dueAt;
  }

  /** True when a due aggregate was kept open because its shard might not close it yet. */
  get hasHeldBack(): boolean {
    return this.#hasHeldBack;
  }

  /** Makes everything due. */
  expedite(now: number): void {
    for (const open of this.#open.values()) this.#setDeadline(open, Math.min(open.deadline, now));
  }

  /**
   * Closes every aggregate due by `dueBy` whose shard `mayClose`, and gives them. A shard that takes less than it is
   * given keeps its aggregate open, to be filled further while it waits.
   */
  takeDue(dueBy: number, mayClose: (shardId: string) => boolean): OutgoingRecord[] {
    const closed: OutgoingRecord[] = [];
    this.#dueAt = Infinity;
    this.#hasHeldBack = false;
    for (const open of this.#open.values()) {
      if (open.deadline > dueBy) {
        this.#dueAt = Math.min(this.#dueAt, open.deadline);
      } else if (mayClose(open.shardId)) {
        this.#open.delete(open.slot);
        closed.push(this.#close(open));
      } else {
        this.#hasHeldBack = true;
      }
    }
    return closed;
  }

  /** Takes out everything. */
  drain(): PendingRecord[] {
    const members = [...this.#open.values()].flatMap((open) => open.members);
    this.#open.clear();
    return members;
  }

  /** Takes out the members of every aggregate that `isTouched` says yes to. */
  takeTouched(isTouched: (members: readonly PendingRecord[]) => boolean): (readonly PendingRecord[])[] {
    const touched: (readonly PendingRecord[])[] = [];
    for (const open of this.#open.values()) {
      if (!isTouched(open.members)) continue;
      this.#open.delete(open.slot);
      touched.push(open.members);
    }
    return touched;
  }

  /** The earliest end of a lifetime; Infinity when there is none. */
  get expiresAt(): number {
    let earliest = Infinity;
    for (const open of this.#open.values()) earliest = Math.min(earliest, open.expiresAt);
    return earliest;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /**
   * Where records that share an aggregate meet. With an explicit hash key the partition key does not tell the shard, so
   * both count; the lone surrogate between them is in no partition key.
   */
  #slotOf(pending: PendingRecord, shardId: string): string {
    if (this.#aggregationKey !== "perKey") return shardId;
    const { partitionKey } = pending;
    return pending.explicitHashKey === undefined ? partitionKey : `${shardId}\ud800${partitionKey}`;
  }

  #takeSurplus(): OutgoingRecord | undefined {
    if (this.#aggregationKey !== "perKey" || this.#open.size < maxOpenPerKey) return undefined;
    // The first of a map came in first: its time is the nearest.
    const [oldest] = this.#open.values();
    if (oldest === undefined) return undefined;
    this.#open.delete(oldest.slot);
    return this.#close(oldest);
  }

  #start(pending: PendingRecord, shardId: string, slot: string): void {
    const outerKey = this.#aggregationKey === "a" ? kplOuterKey : pending.partitionKey;
    const { expiresAt, deadline } = pending;
    const members: OpenAggregate["members"] = [pending];
    this.#open.set(slot, { slot, shardId, outerKey, aggregator: undefined, members, deadline, expiresAt });
    if (deadline < this.#dueAt) this.#dueAt = deadline;
  }

  #addTo(open: OpenAggregate, pending: PendingRecord): boolean {
    const aggregator = (open.aggregator ??= this.#aggregatorFor(open));
    if (!aggregator.add(pending)) return false;
    open.members.push(pending);
    if (pending.expiresAt < open.expiresAt) open.expiresAt = pending.expiresAt;
    if (pending.deadline < open.deadline) this.#setDeadline(open, pending.deadline);
    return true;
  }

  #aggregatorFor({ outerKey, members }: OpenAggregate): Aggregator {
    const aggregator = this.#spare.pop() ?? new Aggregator();
    aggregator.reset({ maxBytes: this.#maxBytes - Buffer.byteLength(outerKey) });
    for (const member of members) aggregator.add(member);
    return aggregator;
  }

  #close(open: OpenAggregate): OutgoingRecord {
    const outgoing = outgoingOf(open);
    if (open.aggregator !== undefined && this.#spare.length < maxSpareAggregators) {
      open.aggregator.reset();
      this.#spare.push(open.aggregator);
    }
    return outgoing;
  }

  #setDeadline(open: OpenAggregate, deadline: number): void {
    open.deadline = deadline;
    if (deadline < this.#dueAt) this.#dueAt = deadline;
  }
}
