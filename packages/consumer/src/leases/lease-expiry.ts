/**
 * Pure. Which leases nobody renews: told by counters that stand still on the observer's own clock.
 *
 * Source: kcl.md 2.1 and 2.4 step 4. No wall clock takes part. A lease that is seen for the first time counts as
 * renewed just now, so a new leader needs failover time of its own observation before it may take anything.
 */
import { actualOwner, type Lease } from "./lease.ts";

/** When each lease's counter was last seen to change. */
export type CounterObservations = ReadonlyMap<string, { readonly counter: bigint; readonly since: number }>;

/** The observations after a scan that began at `now`; leases that are gone are forgotten. */
export function observeCounters(
  before: CounterObservations,
  leases: readonly Lease[],
  now: number,
): CounterObservations {
  const after = new Map<string, { counter: bigint; since: number }>();
  for (const lease of leases) {
    const known = before.get(lease.leaseKey);
    const unchanged = known !== undefined && known.counter === lease.leaseCounter;
    after.set(lease.leaseKey, { counter: lease.leaseCounter, since: unchanged ? known.since : now });
  }
  return after;
}

/** True when the lease has an owner who has not renewed it for more than `failoverTimeMs`. */
export function isExpired(
  lease: Lease,
  observations: CounterObservations,
  now: number,
  failoverTimeMs: number,
): boolean {
  if (actualOwner(lease) === undefined) return false;
  const known = observations.get(lease.leaseKey);
  return known !== undefined && known.counter === lease.leaseCounter && now - known.since > failoverTimeMs;
}
