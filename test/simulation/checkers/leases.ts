/**
 * Pure. [C3] [C4] [C8] What the lease table shows: checkpoints and counters that never go back, and, once all is calm,
 * an owner for every shard and a fair share for every worker.
 */
import type { Row } from "@millrace/consumer";
import type { MemoryLeaseTable } from "@millrace/consumer/testing";
import { hold, InvariantError, type Checker } from "../world/checker.ts";
import { textOf } from "../world/table-over.ts";

export class Leases implements Checker {
  readonly invariant = "C3";
  readonly #table: MemoryLeaseTable;
  #violation: InvariantError | undefined;

  constructor(table: MemoryLeaseTable) {
    this.#table = table;
  }

  /** A row was written. */
  readonly onWrite = (key: string, before: Row | undefined, after: Row | undefined): void => {
    const [old, next] = [placeOf(before), placeOf(after)];
    if (old === undefined || next === undefined) return;
    if (next.checkpoint < old.checkpoint || (next.checkpoint === old.checkpoint && next.sub < old.sub)) {
      this.#violation ??= new InvariantError("C3", `the checkpoint of ${key} went back`);
    }
    if (next.counter < old.counter) this.#violation ??= new InvariantError("C4", `the counter of ${key} went back`);
  };

  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  /** Says why the fleet is not at rest; undefined when every open shard has a live owner, and each its share. */
  unrest(workerIds: readonly string[]): string | undefined {
    const counts = new Map(workerIds.map((workerId) => [workerId, 0]));
    for (const [key, row] of this.#table.rows) {
      const checkpoint = textOf(row, "checkpoint");
      if (checkpoint === undefined || checkpoint === "SHARD_END") continue;
      const owner = textOf(row, "leaseOwner") ?? "nobody";
      const count = counts.get(owner);
      if (count === undefined) return `${key} belongs to ${owner}`;
      counts.set(owner, count + 1);
    }
    const all = [...counts.values()];
    return Math.max(...all) - Math.min(...all) <= 1 ? undefined : `the leases are shared out as ${all.join(", ")}`;
  }

  /** @throws {InvariantError} when the fleet is not at rest. */
  checkRest(workerIds: readonly string[]): void {
    const unrest = this.unrest(workerIds);
    hold("C8", unrest === undefined, () => `long after the faults stopped ${unrest}`);
  }
}

function placeOf(row: Row | undefined) {
  const checkpoint = textOf(row, "checkpoint");
  if (row === undefined || checkpoint === undefined) return undefined;
  return {
    checkpoint: checkpoint === "SHARD_END" ? 2n ** 200n : /^\d+$/.test(checkpoint) ? BigInt(checkpoint) : -1n,
    sub: numberOf(row, "checkpointSubSequenceNumber"),
    counter: numberOf(row, "leaseCounter"),
  };
}

function numberOf(row: Row, attribute: string): number {
  const value = row[attribute];
  return value !== undefined && "N" in value ? Number(value.N) : 0;
}
