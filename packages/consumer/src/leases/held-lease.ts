/**
 * Driver. A lease that this worker has: renewed, checkpointed and given up one write at a time.
 *
 * Source: kcl.md 1.4, 2.1 and 2.5. All writes of one lease go through one chain, because each is conditional on the
 * counter that the one before it wrote. A lost race is settled by a consistent read before the lease is called lost.
 */
import { describeError } from "@millrace/core/observe";
import type { Timer } from "@millrace/core/runtime";
import { compareCheckpoints, formatCheckpoint, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { LeaseLostError, type LeaseLossReason } from "../errors.ts";
import type { Attempts } from "./attempts.ts";
import { callWithin } from "./call-within.ts";
import {
  callLimitMs,
  writeLease,
  type LeaseKeeping,
  type LeaseSubject,
  type LeaseWriteOutcome,
} from "./lease-writer.ts";
import type { Lease } from "./lease.ts";
import { assignment, eviction, type CheckpointWrite } from "./lease-writes.ts";
import { attemptsWrite, checkpointWrite, latestSinceWrite, renewalWrite, type LeaseWrite } from "./own-writes.ts";
import { createThroughput, type ThroughputMeter } from "./throughput.ts";

/** The lease, from its acquisition to its loss or release. */
export class HeldLease {
  /** Rises with every owner of the shard: what the application's own writes can be fenced with. */
  readonly fencingToken: bigint;
  readonly #keeping: LeaseKeeping;
  readonly #abort = new AbortController();
  readonly #throughput: ThroughputMeter;
  #lease: Lease;
  #lastRenewedAt: number;
  #expiry: Timer | undefined;
  #riding: Checkpoint | undefined;
  #chain: Promise<unknown> = Promise.resolve();
  /** Called once when another worker is to have the lease. */
  onHandOff: (() => void) | undefined;
  /** Called once when the lease is over, for whatever reason. */
  onOver: (() => void) | undefined;

  /** @param lastRenewedAt a time before the lease was last known to be renewed, on the system's clock. */
  constructor(keeping: LeaseKeeping, lease: Lease, lastRenewedAt: number) {
    this.#keeping = keeping;
    this.#lease = lease;
    this.#lastRenewedAt = lastRenewedAt;
    this.fencingToken = lease.leaseCounter;
    this.#throughput = createThroughput(lease.throughputKBps, lastRenewedAt);
    this.#armExpiry();
  }

  /** The lease as last written or read. */
  get lease(): Lease {
    return this.#lease;
  }

  get leaseKey(): string {
    return this.#lease.leaseKey;
  }

  get shardId(): string {
    return this.#lease.shardId;
  }

  /** Aborts with a LeaseLostError when the lease is over. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** True when the lease is over. A process that stood still may get here before its timers: the clock is looked at. */
  get isOver(): boolean {
    if (!this.signal.aborted && this.#leftMs <= 0) this.#over("expired", undefined);
    return this.signal.aborted;
  }

  get lastRenewedAt(): number {
    return this.#lastRenewedAt;
  }

  get tableName(): string {
    return this.#keeping.table.name;
  }

  get hasTransactions(): boolean {
    return this.#keeping.table.updateWith !== undefined;
  }

  get isHandOffRequested(): boolean {
    return this.#lease.checkpointOwner !== undefined;
  }

  /** The furthest place that is stored or will be with the next renewal. */
  get checkpointed(): Checkpoint {
    return this.#riding ?? this.#lease.checkpoint;
  }

  /** Counts delivered bytes for the balancing of the fleet. */
  countDelivered(bytes: number): void {
    this.#throughput.add(bytes);
  }

  /**
   * Renews, and stores what rides along; with `attempts`, how often the handler was called with the record after that.
   * Never rejects: a lease that cannot be renewed is lost.
   */
  async renew(attempts?: Attempts): Promise<void> {
    await this.#exclusive(async () => {
      const riding = this.#riding;
      const throughputKBps = this.#throughput.update(this.#keeping.system.now());
      const done = await this.#write((lease) => {
        if (riding !== undefined) return checkpointWrite(lease, { checkpoint: riding, attempts }, throughputKBps);
        return attempts === undefined ? renewalWrite(lease, throughputKBps) : attemptsWrite(lease, attempts);
      });
      if (done && riding !== undefined) this.#checkpointed();
    });
  }

  /** Notes a place for the next renewal. A place at or before the last one is covered already. */
  ride(checkpoint: Checkpoint): void {
    this.#throwIfOver();
    if (compareCheckpoints(checkpoint, this.checkpointed) > 0) this.#riding = checkpoint;
  }

  /**
   * Stores a place now. A place at or before the stored one is covered already and writes nothing [C3].
   * @throws {LeaseLostError} when the lease is over before it is stored.
   */
  async checkpoint(write: CheckpointWrite): Promise<void> {
    await this.#exclusive(async () => {
      this.#throwIfOver();
      const forward = compareCheckpoints(write.checkpoint, this.#lease.checkpoint) > 0;
      if (!forward && write.pending === undefined && this.#lease.pendingCheckpoint === undefined) return;
      const checkpoint = forward ? write.checkpoint : this.#lease.checkpoint;
      const done = await this.#write((lease) => checkpointWrite(lease, { ...write, checkpoint }, lease.throughputKBps));
      if (!done) this.#throwIfOver();
      this.#checkpointed();
    });
  }

  /**
   * Stores a place and the application's own writes, all or none of them, in turn with renewals.
   * @throws {LeaseLostError} when the lease is over before that; then nothing was written.
   */
  async checkpointWith(checkpoint: Checkpoint, items: readonly unknown[]): Promise<void> {
    const { table } = this.#keeping;
    if (table.updateWith === undefined) throw new Error(`the lease table ${table.name} has no transactions`);
    const send = table.updateWith.bind(table);
    await this.#exclusive(async () => {
      this.#throwIfOver();
      if (compareCheckpoints(checkpoint, this.#lease.checkpoint) <= 0) {
        throw new RangeError(`${this.shardId}: ${formatCheckpoint(checkpoint)} is checkpointed already`);
      }
      const outcome = await this.#writeOnce(
        (lease) => checkpointWrite(lease, { checkpoint }, lease.throughputKBps),
        (update, token, signal) => send(update, items, { token, signal }),
      );
      if (outcome.result === "rejected") throw outcome.error;
      if (outcome.result !== "done") this.#throwIfOver();
      this.#checkpointed();
    });
  }

  /** Stores what rides, if anything does. Resolves also when the lease is lost. */
  async flush(): Promise<void> {
    if (this.#riding !== undefined && !this.signal.aborted) await this.renew();
  }

  #checkpointed(): void {
    const { leaseKey, checkpoint } = this.#lease;
    if (this.#riding !== undefined && compareCheckpoints(this.#riding, checkpoint) <= 0) this.#riding = undefined;
    this.#keeping.events.publish({ type: "checkpointed", leaseKey, checkpoint: formatCheckpoint(checkpoint) });
  }

  /** Remembers since when LATEST is meant, so that a restart before the first checkpoint loses nothing. */
  async rememberLatest(latestSinceMs: number): Promise<void> {
    await this.#exclusive(() => this.#write((lease) => latestSinceWrite(lease, latestSinceMs)));
  }

  /**
   * Gives the lease up: to the receiver of a hand-off that is under way, else to `receiver`, else to nobody, and the
   * leader assigns it. Resolves when that is written or the lease is over anyway.
   */
  async release(receiver: string | undefined): Promise<void> {
    await this.flush();
    await this.#exclusive(async () => {
      if (this.signal.aborted) return;
      const lease = this.#lease;
      const next = lease.checkpointOwner === undefined ? receiver : lease.leaseOwner;
      // One try: when it fails, the lease expires and is assigned as if this process had died.
      const outcome = await callWithin(this.#keeping.system, callLimitMs(this.#keeping), (signal) =>
        this.#keeping.table.update(next === undefined ? eviction(lease) : assignment(lease, next), {
          signal,
        }),
      );
      if (!outcome.ok && outcome.reason !== "condition-failed") {
        const error = describeError(outcome.error);
        this.#keeping.events.publish({ type: "lease-table-failed", operation: "release", error });
      }
      this.#over("released", next);
    });
  }

  /** Ends the lease here without a write: its shard is finished. */
  drop(): void {
    this.#abortWith("released");
  }

  /** Ends the lease without a word to anyone, as the death of the process would: for tests of failover. */
  abandon(): void {
    this.#abortWith("expired");
  }

  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#chain.then(task);
    this.#chain = run.catch(() => undefined);
    return run;
  }

  #throwIfOver(): void {
    if (this.isOver) throw this.signal.reason;
  }

  /** Writes until it is certain what became of it. False when the lease is over. */
  async #write(make: (lease: Lease) => LeaseWrite): Promise<boolean> {
    return (await this.#writeOnce(make)).result === "done";
  }

  async #writeOnce(make: LeaseSubject["make"], send?: LeaseSubject["send"]): Promise<LeaseWriteOutcome> {
    const outcome = await writeLease(this.#keeping, this.signal, {
      current: () => this.#lease,
      make,
      send,
      onHandOff: (found) => this.#learnHandOff(found),
    });
    if (outcome.result === "done") {
      this.#lease = outcome.after;
      this.#lastRenewedAt = outcome.startedAt;
      this.#armExpiry();
    } else if (outcome.result === "lost") {
      this.#over(outcome.reason, undefined);
    }
    return outcome;
  }

  #learnHandOff(found: Lease): void {
    const isNews = this.#lease.checkpointOwner === undefined;
    this.#lease = { ...this.#lease, leaseOwner: found.leaseOwner, checkpointOwner: found.checkpointOwner };
    if (!isNews) return;
    this.#keeping.events.publish({
      type: "hand-off-requested",
      leaseKey: this.leaseKey,
      receiver: found.leaseOwner ?? "",
    });
    this.onHandOff?.();
  }

  /** After this time without renewal a leader may have given the lease to another worker. */
  get #leftMs(): number {
    return this.#lastRenewedAt + this.#keeping.failoverTimeMs - this.#keeping.system.now();
  }

  #armExpiry(): void {
    this.#expiry?.cancel();
    const leftMs = Math.max(0, this.#leftMs);
    this.#expiry = this.#keeping.system.schedule(leftMs, () => this.#over("expired", undefined));
  }

  #over(reason: LeaseLossReason, receiver: string | undefined): void {
    if (this.signal.aborted) return;
    this.#abortWith(reason);
    const { leaseKey, shardId } = this;
    if (reason === "released") this.#keeping.events.publish({ type: "lease-released", leaseKey, shardId, receiver });
    else this.#keeping.events.publish({ type: "lease-lost", leaseKey, shardId, reason });
  }

  #abortWith(reason: LeaseLossReason): void {
    if (this.signal.aborted) return;
    this.#expiry?.cancel();
    this.#abort.abort(new LeaseLostError(this.shardId, reason));
    this.onOver?.();
  }
}
