/**
 * Driver. A worker's own leases: found, renewed in time whatever the handler does, and given up.
 *
 * Source: kcl.md 2.1 and 2.2. Renewal is a loop of its own; its lateness is how a handler that blocks the event loop is
 * noticed before a lease is in danger.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { SerialLoop, type System } from "@millrace/core/runtime";
import PQueue from "p-queue";
import { formatCheckpoint, isShardEnd } from "../checkpoint/checkpoint.ts";
import type { ConsumerEvent } from "../events.ts";
import { callWithin } from "./call-within.ts";
import { HeldLease } from "./held-lease.ts";
import type { LeaseKeeping } from "./lease-writer.ts";
import { parseLease, type Lease } from "./lease.ts";

/** Slack of KCL's schedules. Source: kcl.md 2.1, epsilonMillis. */
const epsilonMs = 25;
/**
 * Time between renewals, as a share of the failover time. KCL renews every third of it; this leaves room for one that
 * takes its whole limit and another try, and costs a fifth less.
 */
const renewalShare = 0.42;
/** Renewals in flight at a time. Source: kcl.md 6, maxLeaseRenewalThreads. */
const renewalsInFlight = 20;
/** Lateness of a renewal that is worth telling, as a share of the failover time. */
const blockedShare = 1 / 6;

export interface LeaseCoordinatorOptions extends LeaseKeeping {
  readonly discoveryIntervalMs: number;
  /** Gets each lease that this worker has come to hold. */
  readonly onAcquired: (lease: HeldLease) => void;
  /** Gets a failure that cannot be gone on from. */
  readonly onCrash: (error: unknown) => void;
}

/** The leases of one worker. */
export class LeaseCoordinator {
  readonly #options: LeaseCoordinatorOptions;
  readonly #system: System;
  readonly #events: EventPublisher<ConsumerEvent>;
  readonly #held = new Map<string, HeldLease>();
  /** Leases of ours whose shard is finished: they wait for their deletion and are not renewed. */
  readonly #finished = new Set<string>();
  readonly #queue = new PQueue({ concurrency: renewalsInFlight });
  #loops: SerialLoop[] = [];
  #renewDueAt = 0;
  #isDiscovering = false;

  constructor(options: LeaseCoordinatorOptions) {
    this.#options = options;
    this.#system = options.system;
    this.#events = options.events;
  }

  /** The leases held now, by key. */
  get held(): ReadonlyMap<string, HeldLease> {
    return this.#held;
  }

  /** Keys of finished shards whose leases this worker owns. */
  get finished(): ReadonlySet<string> {
    return this.#finished;
  }

  start(): void {
    const { system, onCrash, discoveryIntervalMs } = this.#options;
    this.#isDiscovering = true;
    this.#renewDueAt = system.now() + this.#renewalIntervalMs();
    this.#loops = [
      new SerialLoop({ system, onCrash, step: () => this.#renewStep() }),
      new SerialLoop({
        system,
        onCrash,
        step: async () => {
          if (this.#isDiscovering) await this.discover();
          return discoveryIntervalMs;
        },
      }),
    ];
  }

  /** No new leases from now on; those held are renewed as before. */
  stopDiscovery(): void {
    this.#isDiscovering = false;
  }

  /** Ends every loop. Leases that are still held are not given up by this. */
  async stop(): Promise<void> {
    this.stopDiscovery();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#queue.onIdle();
  }

  #renewalIntervalMs(): number {
    return Math.max(1, Math.floor(this.#options.failoverTimeMs * renewalShare) - epsilonMs);
  }

  async #renewStep(): Promise<number> {
    const { failoverTimeMs } = this.#options;
    const startedAt = this.#system.now();
    const blockedMs = startedAt - this.#renewDueAt;
    if (blockedMs > failoverTimeMs * blockedShare) {
      this.#events.publish({ type: "event-loop-blocked", blockedMs: Math.round(blockedMs), failoverTimeMs });
    }
    const stalestFirst = [...this.#held.values()].toSorted((a, b) => a.lastRenewedAt - b.lastRenewedAt);
    // A renewal of the round before that still waits for the table must not hold up the others.
    const renewals = stalestFirst.map((lease) => this.#queue.add(() => lease.renew()));
    const round = Promise.all(renewals).then(() => undefined);
    const limitMs = this.#renewalIntervalMs();
    const outcome = await callWithin(this.#system, limitMs, () => round.then(() => ({ ok: true as const })));
    const { metrics } = this.#options;
    metrics?.summary("RenewAllLeases", "CurrentLeases", "Count", this.#held.size, { isWorker: true });
    metrics?.done("RenewAllLeases", outcome.ok, this.#system.now() - startedAt, { isWorker: true });
    const pauseMs = Math.max(0, startedAt + this.#renewalIntervalMs() - this.#system.now());
    this.#renewDueAt = this.#system.now() + pauseMs;
    return pauseMs;
  }

  /** Looks for leases that were given to this worker, once. */
  async discover(): Promise<void> {
    const { table, workerId, system, metrics } = this.#options;
    const startedAt = system.now();
    const keys = await callWithin(system, this.#callLimitMs(), (signal) => table.keysOwnedBy(workerId, { signal }));
    const tookMs = system.now() - startedAt;
    metrics?.detailed("LeaseDiscovery", "ListLeaseKeysForWorker.Time", "Milliseconds", tookMs, { isWorker: true });
    if (keys.ok) await this.#adoptOwned(keys.value, startedAt);
    metrics?.done("LeaseDiscovery", keys.ok, system.now() - startedAt, { isWorker: true });
    if (!keys.ok) {
      this.#events.publish({ type: "lease-table-failed", operation: "discover", error: describeError(keys.error) });
    }
  }

  async #adoptOwned(keys: readonly string[], knownAt: number): Promise<void> {
    const { table, workerId, system, metrics } = this.#options;
    const scope = { isWorker: true } as const;
    const startedAt = system.now();
    const owned = new Set(keys);
    for (const key of this.#finished) if (!owned.has(key)) this.#finished.delete(key);
    const unknown = keys.filter((key) => !this.#held.has(key) && !this.#finished.has(key));
    for (const key of unknown) {
      // The list may be old; only the row itself says whether the lease is ours and free to start.
      const row = await callWithin(system, this.#callLimitMs(), (signal) =>
        table.get(key, { consistent: true, signal }),
      );
      if (!row.ok) metrics?.summary("LeaseDiscovery", "GetLease:Error", "Count", 1, scope);
      if (!row.ok || row.value === undefined) continue;
      const lease = parseLease(row.value);
      const isOurs = lease?.leaseOwner === workerId;
      metrics?.detailed("LeaseDiscovery", "OwnerMismatch", "Count", isOurs ? 0 : 1, scope);
      if (!isOurs || lease.checkpointOwner !== undefined) continue;
      if (!this.#isDiscovering) return;
      this.adopt(lease, knownAt);
    }
    metrics?.detailed("LeaseDiscovery", "NewLeasesDiscovered", "Count", unknown.length, scope);
    metrics?.detailed("LeaseDiscovery", "FetchNewLeases.Time", "Milliseconds", system.now() - startedAt, scope);
  }

  /** Takes up a lease whose row names this worker as its owner. */
  adopt(lease: Lease, knownAt: number): void {
    if (this.#held.has(lease.leaseKey)) return;
    if (isShardEnd(lease.checkpoint)) {
      this.#finished.add(lease.leaseKey);
      return;
    }
    const held = new HeldLease(this.#options, lease, knownAt);
    this.#held.set(lease.leaseKey, held);
    held.onOver = () => this.#held.delete(lease.leaseKey);
    this.#events.publish({
      type: "lease-acquired",
      leaseKey: lease.leaseKey,
      shardId: lease.shardId,
      checkpoint: formatCheckpoint(lease.checkpoint),
      fencingToken: held.fencingToken.toString(),
    });
    this.#options.onAcquired(held);
  }

  /** Ends a lease whose shard is finished and stored as such. */
  finish(held: HeldLease): void {
    this.#finished.add(held.leaseKey);
    held.drop();
  }

  /** Stops everything without a word to anyone, as the death of the process would: for tests of failover. */
  async abandon(): Promise<void> {
    for (const held of this.#held.values()) held.abandon();
    await this.stop();
  }

  #callLimitMs(): number {
    return Math.max(1, Math.floor(this.#options.failoverTimeMs / 3));
  }
}
