/**
 * Driver. Whom a leaving worker gives its leases to, and one with a silent handler a single lease.
 *
 * Source: SPEC S4. A lease that is assigned on the way out is read on within a second; one that is left to expire waits for
 * the failover time.
 */
import type { System } from "@millrace/core/runtime";
import { isShardEnd } from "../checkpoint/checkpoint.ts";
import { scanFleet, type FleetTables } from "./fleet-tables.ts";
import { eligibleWorkers } from "./fleet.ts";
import type { HeldLease } from "./held-lease.ts";
import { assignment, handOffRefusal } from "./lease-writes.ts";
import { parseLease } from "./lease.ts";

/** One worker's way out. */
export class Departure {
  readonly #tables: FleetTables;
  readonly #workerId: string;
  readonly #system: System;
  /** Live peers, with how many leases each has. */
  readonly #peers = new Map<string, number>();

  constructor(tables: FleetTables, workerId: string, system: System) {
    this.#tables = tables;
    this.#workerId = workerId;
    this.#system = system;
  }

  /** Looks for live peers, by one scan: a worker that does not lead makes no other. */
  async findPeers(): Promise<void> {
    const rows = await scanFleet(this.#tables);
    if (!rows.ok) return;
    const fleet = rows.value;
    this.#peers.clear();
    for (const worker of eligibleWorkers(fleet, new Map(), this.#system.wallNow())) {
      if (worker.workerId !== this.#workerId) this.#peers.set(worker.workerId, 0);
    }
    for (const lease of fleet.leases) {
      const count = this.#peers.get(lease.leaseOwner ?? "");
      if (count !== undefined && !isShardEnd(lease.checkpoint)) this.#peers.set(lease.leaseOwner ?? "", count + 1);
    }
  }

  /**
   * The peer with the fewest leases, which now counts one more; undefined where there is none. A peer without any comes
   * last: the report of one that has died looks alive for minutes, but its leases are soon given to others.
   */
  nextOwner(): string | undefined {
    let best: readonly [string, number] | undefined;
    for (const peer of this.#peers) if (best === undefined || orderOf(peer[1]) < orderOf(best[1])) best = peer;
    if (best === undefined) return undefined;
    this.#peers.set(best[0], best[1] + 1);
    return best[0];
  }

  /** Gives one lease to a live peer. `tell` is told first; undefined where there is none, and the leader assigns it. */
  async giveAway(held: HeldLease, tell: (receiver: string | undefined) => void): Promise<void> {
    await this.findPeers();
    if (held.signal.aborted) return;
    const receiver = this.nextOwner();
    tell(receiver);
    await held.release(receiver);
  }

  /** A leader may have given this worker leases while it was leaving: they are given on. */
  async passOnLateLeases(): Promise<void> {
    const keys = await this.#tables.leases.keysOwnedBy(this.#workerId);
    if (!keys.ok) return;
    for (const key of keys.value) {
      const row = await this.#tables.leases.get(key, { consistent: true });
      const lease = row.ok && row.value !== undefined ? parseLease(row.value) : undefined;
      if (lease === undefined || lease.leaseOwner !== this.#workerId || isShardEnd(lease.checkpoint)) continue;
      // One that another worker drains for this one stays with that worker: it may be in the middle of a batch.
      if (lease.checkpointOwner !== undefined) {
        await this.#tables.leases.update(handOffRefusal(lease));
        continue;
      }
      const receiver = this.nextOwner();
      if (receiver !== undefined) await this.#tables.leases.update(assignment(lease, receiver));
    }
  }
}

function orderOf(leases: number): number {
  return leases === 0 ? Infinity : leases;
}
