/**
 * Pure. Keeps the records of one partition key in the order of their puts [C12], for `ordering: "perKey"`.
 *
 * A key has records either in one open aggregate, where they stand in their order, or in one Kinesis record that is not
 * settled yet; later ones wait here. So whatever fails, is sent again or lands in another shard, no later record of its
 * key can have overtaken it. An answer that comes late can only repeat a record: the order is that of first copies.
 */
import { Fifo } from "./fifo.ts";
import type { OutgoingRecord, PendingRecord } from "./records.ts";

interface KeyState {
  /** Records that have passed and are not settled. */
  unsettled: number;
  /** True while all of those are in an aggregate that is still open: more may join them. */
  isOpen: boolean;
  readonly queue: Fifo<PendingRecord>;
}

/**
 * Sends a record on its way; the gate's `closed` is called for every Kinesis record that comes of it. `mustJoin`: only
 * into the open aggregate that has earlier records of its key. False when that has no room: it was closed instead.
 */
type Pass = (pending: PendingRecord, now: number, mustJoin: boolean) => boolean;

/** Records with one of these go into one shard, and are kept in order: the partition key, and the hash key over it. */
function orderKey(pending: PendingRecord): string {
  const { partitionKey, explicitHashKey } = pending;
  return explicitHashKey === undefined ? partitionKey : `${explicitHashKey} ${partitionKey}`;
}

export class OrderGate {
  readonly #keys = new Map<string, KeyState>();
  readonly #pass: Pass;
  #waiting = 0;

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  get isEmpty(): boolean {
    return this.#waiting === 0;
  }

  /** Passes a record, or keeps it behind earlier ones of its key. */
  add(pending: PendingRecord, now: number): void {
    const key = orderKey(pending);
    const state = this.#stateOf(key);
    state.queue.push(pending);
    this.#waiting += 1;
    this.#release(key, state, now);
  }

  /** Takes in that a Kinesis record was made: nothing joins its members' keys any more. */
  closed(outgoing: OutgoingRecord): void {
    for (const member of outgoing.members) {
      const state = this.#keys.get(orderKey(member));
      if (state !== undefined) state.isOpen = false;
    }
  }

  /**
   * Takes records back that had passed, to go again before what waits. `alone`: each in a Kinesis record of its own, the
   * first of a key at once and the others one after another.
   */
  takeBack(members: readonly PendingRecord[], now: number, alone: boolean): void {
    const byKey = new Map<string, PendingRecord[]>();
    for (const member of members) {
      if (member.state === "settled") continue;
      member.hasPassed = false;
      member.mustBeAlone ||= alone;
      const key = orderKey(member);
      const others = byKey.get(key);
      if (others === undefined) byKey.set(key, [member]);
      else others.push(member);
    }
    for (const [key, returned] of byKey) {
      const state = this.#stateOf(key);
      state.unsettled -= returned.length;
      state.isOpen = false;
      state.queue.unshift(returned);
      this.#waiting += returned.length;
    }
    for (const key of byKey.keys()) this.#release(key, this.#stateOf(key), now);
  }

  /** Takes in that a record is stored, failed or withdrawn; what may follow it passes. */
  settled(pending: PendingRecord, now: number): void {
    const key = orderKey(pending);
    const state = this.#keys.get(key);
    if (state === undefined || !pending.hasPassed) return;
    pending.hasPassed = false;
    state.unsettled -= 1;
    this.#release(key, state, now);
  }

  /** Takes out what waits behind a record that failed. */
  takeFollowers(pending: PendingRecord): PendingRecord[] {
    const followers = this.#keys.get(orderKey(pending))?.queue.drain() ?? [];
    this.#waiting -= followers.length;
    return followers.filter((follower) => follower.state !== "settled");
  }

  /** Everything that waits here. */
  *queued(): Iterable<PendingRecord> {
    for (const { queue } of this.#keys.values()) yield* queue;
  }

  /** Keeps what `keep` says yes to. */
  filter(keep: (pending: PendingRecord) => boolean): void {
    for (const { queue } of this.#keys.values()) {
      this.#waiting -= queue.length;
      queue.filter(keep);
      this.#waiting += queue.length;
    }
  }

  drain(): PendingRecord[] {
    const drained = [...this.queued()];
    this.#keys.clear();
    this.#waiting = 0;
    return drained;
  }

  #stateOf(key: string): KeyState {
    let state = this.#keys.get(key);
    if (state === undefined) {
      state = { unsettled: 0, isOpen: false, queue: new Fifo() };
      this.#keys.set(key, state);
    }
    return state;
  }

  #release(key: string, state: KeyState, now: number): void {
    for (let next = state.queue.peek(); next !== undefined; next = state.queue.peek()) {
      if (next.state !== "settled" && state.unsettled > 0 && !state.isOpen) return;
      state.queue.shift();
      this.#waiting -= 1;
      if (next.state === "settled") continue;
      const mustJoin = state.unsettled > 0;
      // Before it passes: the aggregate that it joins may close at once.
      state.unsettled += 1;
      state.isOpen = true;
      next.hasPassed = true;
      if (this.#pass(next, now, mustJoin)) continue;
      next.hasPassed = false;
      state.unsettled -= 1;
      state.queue.unshift([next]);
      this.#waiting += 1;
      return;
    }
    if (state.unsettled === 0) this.#keys.delete(key);
  }
}
