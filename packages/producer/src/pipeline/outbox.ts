/**
 * Pure. Everything that is accepted and in no request: where each record waits, and what may go next.
 *
 *     add -> unrouted -> open aggregate -> limiter -> collector -> next request
 *                              ^             ^
 *                              +--- place ---+--- delayed (backs off)
 */
import { RecordTooLargeError } from "../errors.ts";
import type { ResolvedOptions } from "../options.ts";
import { OpenAggregates } from "./aggregates.ts";
import { Collector } from "./collector.ts";
import { DelayQueue } from "./delay-queue.ts";
import type { Effect } from "./effects.ts";
import type { Expiry } from "./expiry.ts";
import { Fifo } from "./fifo.ts";
import { Limiter } from "./limiter.ts";
import { disband, hasten, loneRecord, type OutgoingRecord, type PendingRecord } from "./records.ts";
import { OrderGate } from "./order-gate.ts";
import { Packing } from "./packing.ts";
import { orderingUnavailable } from "./retrier.ts";
import type { Router } from "./router.ts";
import { sweep } from "./sweep.ts";

/** Aggregates due within this share of the linger leave together with one that is due, in one request. */
const joinShare = 0.2;
const joinMaxMs = 50;
/** Expiry is looked at this often at most: a scan of everything must not follow every expiring record. */
const sweepEveryMs = 50;

export class Outbox {
  readonly limiter: Limiter;
  readonly #options: ResolvedOptions;
  readonly #router: Router;
  readonly #emit: (effect: Effect) => void;
  readonly #expiry: Expiry;
  /** In ordered mode, what stands before the first step. */
  readonly #gate: OrderGate | undefined;
  readonly #aggregates: OpenAggregates;
  /** With compression on, what stands before the limiter. */
  readonly #packing: Packing | undefined;
  readonly #collector: Collector;
  /** Records that came before anything was known of the stream. */
  readonly #unrouted = new Fifo<PendingRecord>();
  /** Kinesis records that back off. */
  readonly #delayed = new DelayQueue<OutgoingRecord>();
  /** Requests to be sent as they are: parts of one that was refused as a whole. */
  readonly #isolated = new Fifo<readonly OutgoingRecord[]>();
  #sweepAt = Infinity;

  constructor(options: ResolvedOptions, router: Router, expiry: Expiry, emit: (effect: Effect) => void) {
    this.#options = options;
    this.#router = router;
    this.#emit = emit;
    this.#expiry = expiry;
    this.#gate =
      options.ordering === "perKey"
        ? new OrderGate((pending, now, mustJoin) => this.#routeOrdered(pending, now, mustJoin))
        : undefined;
    this.#aggregates = new OpenAggregates(options);
    const { compression, aggregationMaxBytes } = options;
    this.#packing = compression === "none" ? undefined : new Packing({ compression, aggregationMaxBytes }, emit);
    this.limiter = new Limiter(options);
    this.#collector = new Collector(options);
  }

  get isEmpty(): boolean {
    return (
      this.#aggregates.isEmpty &&
      this.#collector.isEmpty &&
      !this.limiter.hasBacklog &&
      this.#unrouted.length === 0 &&
      this.#gate?.isEmpty !== false &&
      this.#packing?.isEmpty !== false &&
      this.#delayed.length === 0 &&
      this.#isolated.length === 0
    );
  }

  /** Takes a record in; true when a request may be ready because of it. */
  add(pending: PendingRecord, now: number): boolean {
    if (pending.expiresAt < this.#sweepAt) this.#sweepAt = pending.expiresAt;
    if (this.#router.mode === "unknown") {
      this.#unrouted.push(pending);
      return true;
    }
    this.#enter(pending, now);
    return this.#collector.isFull;
  }

  /** Takes in that a record is stored, failed or withdrawn: in ordered mode others may follow it. */
  settled(pending: PendingRecord, now: number): void {
    this.#gate?.settled(pending, now);
  }

  /** In ordered mode, what waits behind a record that failed. */
  takeFollowers(pending: PendingRecord): PendingRecord[] {
    return this.#gate?.takeFollowers(pending) ?? [];
  }

  /** In ordered mode, takes an aggregate's members back to be sent each alone, in their order; false in the other mode. */
  takeBackAlone(members: readonly PendingRecord[], now: number): boolean {
    this.#gate?.takeBack(members, now, true);
    return this.#gate !== undefined;
  }

  /** Takes a Kinesis record back to be sent again from its `notBefore` on. */
  delay(outgoing: OutgoingRecord): void {
    this.#sweepAt = Math.min(this.#sweepAt, outgoing.expiresAt);
    if (outgoing.packing !== "compressed") outgoing.built = undefined;
    this.#delayed.push(outgoing);
  }

  /** Takes in what came of a compression; undefined where it failed. */
  packed(outgoing: OutgoingRecord, compressed: Uint8Array | undefined, now: number): void {
    if (this.#packing?.finish(outgoing, compressed) !== true) return;
    this.#aggregates.maxBytes = this.#packing.targetBytes(this.#router.maxRecordBytes);
    if (outgoing.expiresAt < this.#sweepAt) this.#sweepAt = outgoing.expiresAt;
    if (this.#expiry.keepsAny(outgoing, now)) this.#place(outgoing, now, false);
  }

  /** Takes Kinesis records that make one request by themselves. */
  isolate(group: readonly OutgoingRecord[]): void {
    if (group.length === 0) return;
    for (const outgoing of group) this.#sweepAt = Math.min(this.#sweepAt, outgoing.expiresAt);
    this.#isolated.push(group);
  }

  /** Takes in that a record here was withdrawn by its caller, who has the answer already. */
  withdrawn(pending: PendingRecord): void {
    this.#expiry.withdrawn(pending);
  }

  /** Makes everything that waits for company due. */
  expedite(now: number): void {
    for (const pending of this.#unrouted) hasten(pending, now);
    for (const pending of this.#gate?.queued() ?? []) hasten(pending, now);
    for (const outgoing of this.limiter.queued()) hasten(outgoing, now);
    for (const outgoing of this.#packing?.queued() ?? []) hasten(outgoing, now);
    this.#aggregates.expedite(now);
    this.#collector.expedite(now);
  }

  /** Moves what may move by `now`. `mayClose`: a request could be sent, so that closing aggregates early is no loss. */
  advance(now: number, mayClose: boolean): void {
    if (now >= this.#sweepAt || this.#expiry.hasMuchWithdrawn) this.#sweep(now);
    for (let due = this.#delayed.takeDue(now); due !== undefined; due = this.#delayed.takeDue(now)) {
      this.#place(due, now, true);
    }
    if (mayClose) this.#closeDue(now);
    this.limiter.release(now, (outgoing) => {
      if (this.#packing?.begin(outgoing) !== true) this.#collector.add(outgoing);
    });
  }

  /** The Kinesis records of the next request that should go by `now`; undefined when none should. */
  nextRequest(now: number): readonly OutgoingRecord[] | undefined {
    for (let group = this.#isolated.shift(); group !== undefined; group = this.#isolated.shift()) {
      const live = this.#packedOf(group.filter((outgoing) => this.#expiry.keepsAny(outgoing, now)));
      if (live.length > 0) return live;
    }
    while (this.#collector.isFull || this.#collector.dueAt <= now) {
      const taken = this.#collector.take();
      const live = this.#packedOf(
        this.#expiry.hasWithdrawn ? taken.filter((outgoing) => this.#expiry.keepsAny(outgoing, now)) : taken,
      );
      if (live.length > 0) return live;
    }
    return undefined;
  }

  /** Without those that lost a member since they were compressed, which are compressed again. */
  #packedOf(live: readonly OutgoingRecord[]): readonly OutgoingRecord[] {
    const packing = this.#packing;
    return packing === undefined ? live : live.filter((outgoing) => !packing.begin(outgoing));
  }

  /** When `advance` or `nextRequest` next has something to do; Infinity when nothing waits for a time. */
  wakeAt(now: number, mayClose: boolean): number {
    if (this.isEmpty) return Infinity;
    const wakeAt = Math.min(this.#sweepAt, this.#delayed.nextAt, this.limiter.nextReleaseAt(now));
    // With every connection busy, the next answer is what to wait for.
    return mayClose ? Math.min(wakeAt, this.#aggregates.dueAt, this.#collector.dueAt) : wakeAt;
  }

  /** Finds new places for everything, because the stream is not what it was. */
  reroute(now: number): void {
    const isOpen = (shardId: string) => this.#router.map?.isOpen(shardId) === true;
    const outgoing = [...this.limiter.drain(isOpen), ...this.#collector.drain()];
    const open = this.#aggregates.drain();
    for (const record of outgoing) this.#place(record, now, false);
    this.#routeAgain(open, now);
    for (const pending of this.#unrouted.drain()) this.#enter(pending, now);
  }

  /** Takes out the records that wait for a first answer about the stream. */
  drainUnrouted(): PendingRecord[] {
    return this.#unrouted.drain();
  }

  drain(): PendingRecord[] {
    const outgoing = [...this.limiter.drain(() => true), ...this.#collector.drain(), ...this.#isolated.drain().flat()];
    const members = [...outgoing, ...this.#delayed.drain()].flatMap((record) => record.members);
    members.push(...(this.#packing?.drain() ?? []));
    return [...this.#unrouted.drain(), ...(this.#gate?.drain() ?? []), ...this.#aggregates.drain(), ...members];
  }

  #enter(pending: PendingRecord, now: number): void {
    if (this.#gate === undefined) this.#route(pending, now);
    else this.#gate.add(pending, now);
  }

  /** Routes records that were on their way before. */
  #routeAgain(members: readonly PendingRecord[], now: number): void {
    if (this.#gate !== undefined) this.#gate.takeBack(members, now, false);
    else for (const member of members) this.#route(member, now);
  }

  #routeOrdered(pending: PendingRecord, now: number, mustJoin: boolean): boolean {
    if (this.#router.mode === "auto") {
      this.#emit({ type: "failed", members: [pending], error: orderingUnavailable() });
      return true;
    }
    if (!mustJoin) {
      this.#route(pending, now);
      return true;
    }
    const shardId = this.#router.map?.predictFor(pending);
    if (shardId === undefined || !this.#options.aggregation || !this.#aggregates.takes(pending)) return false;
    const { joined, closed } = this.#aggregates.join(pending, shardId);
    if (closed !== undefined) this.#limit(closed, shardId, now);
    return joined;
  }

  #route(pending: PendingRecord, now: number): void {
    const maxBytes = this.#router.maxRecordBytes;
    if (maxBytes !== undefined && pending.sizeBytes > maxBytes) {
      const error = new RecordTooLargeError(pending.sizeBytes, maxBytes);
      this.#emit({ type: "failed", members: [pending], error });
      return;
    }
    const { map } = this.#router;
    const shardId = map?.predictFor(pending);
    if (shardId === undefined) {
      const lone = loneRecord(pending, undefined, pending.mustBeAlone);
      this.#gate?.closed(lone);
      this.#collector.add(lone);
    } else if (this.#options.aggregation) {
      const closed = this.#aggregates.add(pending, shardId);
      if (closed !== undefined) this.#limit(closed, closed.shardId ?? shardId, now);
    } else {
      this.#limit(loneRecord(pending, shardId), shardId, now);
    }
  }

  #limit(outgoing: OutgoingRecord, shardId: string, now: number): void {
    this.#gate?.closed(outgoing);
    if (this.#packing?.begin(outgoing) === true) return;
    if (this.limiter.admit(shardId, outgoing, now)) this.#collector.add(outgoing);
    else if (outgoing.packing !== "compressed") outgoing.built = undefined;
  }

  /** Finds a place for a Kinesis record that exists already: its shard may have closed since it was made. */
  #place(outgoing: OutgoingRecord, now: number, first: boolean): void {
    const { map } = this.#router;
    if (map === undefined) {
      outgoing.shardId = undefined;
      if (outgoing.members.length === 1) this.#collector.add(outgoing);
      else this.#routeAgain(disband(outgoing), now);
      return;
    }
    if (outgoing.shardId === undefined || !map.isOpen(outgoing.shardId)) {
      const shardIds = new Set(outgoing.members.map((member) => map.predictFor(member)));
      if (shardIds.size > 1) {
        this.#routeAgain(disband(outgoing), now);
        return;
      }
      [outgoing.shardId] = shardIds;
    }
    const { shardId } = outgoing;
    if (shardId === undefined) this.#collector.add(outgoing);
    else if (first) this.limiter.requeueFirst(shardId, [outgoing], now);
    else this.#limit(outgoing, shardId, now);
  }

  #closeDue(now: number): void {
    // An aggregate held back for its shard's sake may close once that shard's queue is empty.
    if (this.#aggregates.dueAt > now && !this.#aggregates.hasHeldBack && this.#collector.dueAt > now) return;
    const dueBy = now + Math.min(joinMaxMs, this.#options.recordMaxBufferedMs * joinShare);
    const mayClose = (shardId: string) => this.#packing?.isBusy !== true && !this.limiter.isBacklogged(shardId);
    for (const outgoing of this.#aggregates.takeDue(dueBy, mayClose)) {
      hasten(outgoing, now);
      this.#limit(outgoing, outgoing.shardId ?? "", now);
    }
  }

  #sweep(now: number): void {
    const places = {
      limiter: this.limiter,
      collector: this.#collector,
      delayed: this.#delayed,
      isolated: this.#isolated,
      gate: this.#gate,
      unrouted: this.#unrouted,
      aggregates: this.#aggregates,
    };
    const { expiresAt, toRoute } = sweep(places, this.#expiry, now);
    for (const members of toRoute) this.#routeAgain(members, now);
    this.#sweepAt = Math.max(now + sweepEveryMs, Math.min(expiresAt, this.#aggregates.expiresAt));
  }
}
