/**
 * Pure. The aggregates that are being filled: at most one for each predicted shard.
 *
 * All user records of an aggregate are predicted to be in one shard; nothing else ties them together. An aggregate is
 * closed when the next record does not fit, when it has enough records, or when its oldest record is due.
 */
import { Aggregator, type AggregatedRecord } from "@millrace/aggregation";
import { loneRecord, noAttempts, type OutgoingRecord, type PendingRecord } from "./records.ts";

/** The outer partition key of an aggregate is one byte, and counts towards its size. */
const outerKeyBytes = 1;
/** Enough for the shards whose aggregates close at one time; each keeps at most the size of an aggregate. */
const maxSpareAggregators = 64;

interface OpenAggregate {
  readonly shardId: string;
  readonly aggregator: Aggregator;
  readonly members: PendingRecord[];
  deadline: number;
  expiresAt: number;
}

export class OpenAggregates {
  readonly #maxBytes: number;
  readonly #maxRecords: number;
  readonly #open = new Map<string, OpenAggregate>();
  /** Aggregators to fill again: their memory is what most of an aggregate's cost would be. */
  readonly #spare: Aggregator[] = [];
  /** Never after the earliest deadline of an aggregate that may close. */
  #dueAt = Infinity;
  #hasHeldBack = false;

  constructor(options: { readonly aggregationMaxBytes: number; readonly aggregationMaxRecords: number }) {
    this.#maxBytes = options.aggregationMaxBytes;
    this.#maxRecords = options.aggregationMaxRecords;
  }

  /** True when a record is small enough to share an aggregate. */
  takes(pending: PendingRecord): boolean {
    return pending.sizeBytes < this.#maxBytes && !pending.mustBeAlone;
  }

  /** Adds a record to the shard's open aggregate if it fits there; else closes that and gives it. */
  join(pending: PendingRecord, shardId: string): { readonly joined: boolean; readonly closed?: OutgoingRecord } {
    const open = this.#open.get(shardId);
    if (open === undefined) return { joined: false };
    if (!open.aggregator.add(pending)) {
      this.#open.delete(shardId);
      return { joined: false, closed: this.#close(open) };
    }
    this.#joined(open, pending);
    if (open.members.length < this.#maxRecords) return { joined: true };
    this.#open.delete(shardId);
    return { joined: true, closed: this.#close(open) };
  }

  /** Adds a record and gives what it closed: nothing most of the time. */
  add(pending: PendingRecord, shardId: string): OutgoingRecord | undefined {
    if (!this.takes(pending)) return loneRecord(pending, shardId, pending.mustBeAlone);
    const open = this.#open.get(shardId);
    if (open === undefined) {
      this.#start(pending, shardId);
      return undefined;
    }
    if (!open.aggregator.add(pending)) {
      this.#start(pending, shardId);
      return this.#close(open);
    }
    this.#joined(open, pending);
    if (open.members.length < this.#maxRecords) return undefined;
    this.#open.delete(shardId);
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
        this.#open.delete(open.shardId);
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
      this.#open.delete(open.shardId);
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

  #start(pending: PendingRecord, shardId: string): void {
    const aggregator = this.#spare.pop() ?? new Aggregator({ maxBytes: this.#maxBytes - outerKeyBytes });
    aggregator.add(pending);
    const open = { shardId, aggregator, members: [pending], deadline: Infinity, expiresAt: pending.expiresAt };
    this.#setDeadline(open, pending.deadline);
    this.#open.set(shardId, open);
  }

  #joined(open: OpenAggregate, pending: PendingRecord): void {
    open.members.push(pending);
    if (pending.expiresAt < open.expiresAt) open.expiresAt = pending.expiresAt;
    if (pending.deadline < open.deadline) this.#setDeadline(open, pending.deadline);
  }

  #close(open: OpenAggregate): OutgoingRecord {
    const outgoing = outgoingOf(open);
    this.#recycle(open.aggregator);
    return outgoing;
  }

  #recycle(aggregator: Aggregator): void {
    aggregator.reset();
    if (this.#spare.length < maxSpareAggregators) this.#spare.push(aggregator);
  }

  #setDeadline(open: OpenAggregate, deadline: number): void {
    open.deadline = deadline;
    if (deadline < this.#dueAt) this.#dueAt = deadline;
  }
}

function outgoingOf(open: OpenAggregate): OutgoingRecord {
  const [first] = open.members;
  if (first !== undefined && open.members.length === 1) return loneRecord(first, open.shardId);
  const built = open.aggregator.build();
  return {
    members: open.members,
    built,
    shardId: open.shardId,
    sizeBytes: built.data.byteLength + outerKeyBytes,
    deadline: open.deadline,
    expiresAt: open.expiresAt,
    notBefore: 0,
    lastTouchedAt: first?.earlier?.endedAt ?? first?.acceptedAt ?? 0,
    attempts: noAttempts,
    mayHaveBeenStored: false,
    alone: false,
  };
}

// Only the service's own bound holds for records that were together once: without some of them they take no more room.
const largestBlobBytes = 10_485_759;

/** The aggregate of records that were in one before and lost some of their company. */
export function aggregateAgain(members: readonly PendingRecord[]): AggregatedRecord {
  const aggregator = new Aggregator({ maxBytes: largestBlobBytes });
  for (const member of members) aggregator.add(member);
  return aggregator.build();
}
