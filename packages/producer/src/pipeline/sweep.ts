/**
 * Pure. Fails what has expired and drops what was withdrawn, wherever it waits.
 */
import type { OpenAggregates } from "./aggregates.ts";
import type { Collector } from "./collector.ts";
import type { DelayQueue } from "./delay-queue.ts";
import type { Expiry } from "./expiry.ts";
import type { Fifo } from "./fifo.ts";
import type { Limiter } from "./limiter.ts";
import type { OrderGate } from "./order-gate.ts";
import type { OutgoingRecord, PendingRecord } from "./records.ts";

/** Everywhere a record can wait. */
export interface WaitingPlaces {
  readonly limiter: Limiter;
  readonly collector: Collector;
  readonly delayed: DelayQueue<OutgoingRecord>;
  readonly isolated: Fifo<readonly OutgoingRecord[]>;
  readonly gate: OrderGate | undefined;
  readonly unrouted: Fifo<PendingRecord>;
  readonly aggregates: OpenAggregates;
}

/**
 * Sweeps all places. Gives when the next record of those that stay expires, open aggregates not counted, and the members of
 * aggregates that were opened for it: they find new places.
 */
export function sweep(
  places: WaitingPlaces,
  expiry: Expiry,
  now: number,
): { readonly expiresAt: number; readonly toRoute: readonly (readonly PendingRecord[])[] } {
  const { limiter, collector, delayed, isolated, gate, unrouted, aggregates } = places;
  expiry.swept();
  let expiresAt = Infinity;
  const keep = (outgoing: OutgoingRecord) => {
    const isLive = expiry.keepsAny(outgoing, now);
    if (isLive) expiresAt = Math.min(expiresAt, outgoing.expiresAt);
    return isLive;
  };
  limiter.filter(keep);
  collector.filter(keep);
  delayed.filter(keep);
  for (const group of isolated.drain()) {
    const live = group.filter(keep);
    if (live.length > 0) isolated.push(live);
  }
  const waiting = gate === undefined ? [] : [...gate.queued()];
  // Marked at once, so that it cannot pass when the failure of one before it lets others pass.
  for (const pending of waiting) if (!expiry.keeps(pending, now)) pending.state = "settled";
  gate?.filter((pending) => pending.state !== "settled");
  for (const pending of gate?.queued() ?? []) expiresAt = Math.min(expiresAt, pending.expiresAt);
  unrouted.filter((pending) => expiry.keeps(pending, now));
  for (const pending of unrouted) expiresAt = Math.min(expiresAt, pending.expiresAt);
  const isDead = (pending: PendingRecord) => pending.state === "settled" || pending.expiresAt <= now;
  const touched = aggregates.takeTouched((all) => all.some(isDead));
  return { expiresAt, toRoute: touched.map((members) => members.filter((pending) => expiry.keeps(pending, now))) };
}
