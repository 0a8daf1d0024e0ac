/**
 * Pure. Leases by count: each worker has as many as any other, or one more [C8].
 *
 * Source: kcl.md 2.4, LEASE_COUNT_BASED. Ties are broken by name, so that the same scan gives the same decisions, and
 * balancing stops at a difference of one.
 */
import type { Lease } from "./lease.ts";
import { balanceMove, type AssignmentDecision, type AssignmentInput, type Placement } from "./placement.ts";

export class CountPlacement implements Placement {
  readonly #workers: readonly string[];
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(
    input: Pick<AssignmentInput, "workers" | "maxLeasesPerWorker">,
    held: ReadonlyMap<string, readonly Lease[]>,
  ) {
    this.#workers = input.workers.map((worker) => worker.workerId);
    this.#max = input.maxLeasesPerWorker;
    for (const worker of this.#workers) this.#counts.set(worker, 0);
    for (const [worker, leases] of held) this.#counts.set(worker, leases.length);
  }

  receiver(): string | undefined {
    let best: string | undefined;
    for (const worker of this.#workers) {
      const count = this.#countOf(worker);
      if (count >= this.#max) continue;
      const bestCount = best === undefined ? Infinity : this.#countOf(best);
      if (count < bestCount || (count === bestCount && best !== undefined && worker < best)) best = worker;
    }
    return best;
  }

  give(worker: string): void {
    this.#add(worker, 1);
  }

  balance(movable: ReadonlyMap<string, readonly Lease[]>): AssignmentDecision[] {
    const decisions: AssignmentDecision[] = [];
    const left = new Map<string, Lease[]>();
    for (const [owner, leases] of movable) {
      left.set(
        owner,
        leases.toSorted((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1)),
      );
    }
    for (;;) {
      const receiver = this.receiver();
      const donor = this.#mostLoaded(left);
      if (receiver === undefined || donor === undefined) return decisions;
      if (this.#countOf(donor) - this.#countOf(receiver) < 2) return decisions;
      const lease = left.get(donor)?.pop();
      if (lease === undefined) return decisions;
      this.#add(donor, -1);
      this.#add(receiver, 1);
      decisions.push(balanceMove(lease, receiver));
    }
  }

  #countOf(worker: string): number {
    return this.#counts.get(worker) ?? 0;
  }

  #add(worker: string, amount: number): void {
    this.#counts.set(worker, this.#countOf(worker) + amount);
  }

  /** The most loaded worker that has a lease left to give. */
  #mostLoaded(left: ReadonlyMap<string, readonly Lease[]>): string | undefined {
    let best: string | undefined;
    for (const [worker, leases] of left) {
      if (leases.length === 0) continue;
      const bestCount = best === undefined ? -1 : this.#countOf(best);
      const count = this.#countOf(worker);
      if (count > bestCount || (count === bestCount && best !== undefined && worker < best)) best = worker;
    }
    return best;
  }
}
