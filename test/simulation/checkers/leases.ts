/**
 * Pure. [C3] [C4] [C8] What the lease table shows: checkpoints and counters that never go back, no write by a worker that
 * does not own the lease, and, once all is calm, an owner for every shard and a fair share
 * for every worker.
 */
import type { Row } from "@millrace/consumer";
import { hold, Violations, type Checker } from "../world/checker.ts";
import { textOf, type TableWrite } from "../world/lease-table-service.ts";
import { checkpointOf, comparePlaces, numberOf } from "./place.ts";

export class Leases implements Checker {
  readonly invariant = "C3";
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #violations = new Violations();
  readonly #strategy: "count" | "utilization";

  /** `strategy` says what a fair share is. */
  constructor(rows: ReadonlyMap<string, Row>, strategy: "count" | "utilization") {
    this.#rows = rows;
    this.#strategy = strategy;
  }

  /** A row was written. */
  onWrite(write: TableWrite): void {
    this.#violations.catch(() => judge(write));
  }

  check(): void {
    this.#violations.check();
  }

  /** Says why the fleet is not at rest; undefined when every open shard has a live owner, and each its share. */
  unrest(workerIds: readonly string[]): string | undefined {
    const counts = new Map(workerIds.map((workerId) => [workerId, 0]));
    for (const [key, row] of this.#rows) {
      const checkpoint = textOf(row, "checkpoint");
      if (checkpoint === undefined || checkpoint === "SHARD_END") continue;
      const owner = textOf(row, "leaseOwner") ?? "nobody";
      const count = counts.get(owner);
      if (count === undefined) return `${key} belongs to ${owner}`;
      counts.set(owner, count + 1);
    }
    // By utilisation a share is measured in load, of which the rows of a fleet at rest say little.
    if (this.#strategy !== "count") return undefined;
    const all = [...counts.values()];
    return Math.max(...all) - Math.min(...all) <= 1 ? undefined : `the leases are shared out as ${all.join(", ")}`;
  }

  /** @throws {InvariantError} when the fleet is not at rest. */
  checkRest(workerIds: readonly string[]): void {
    const unrest = this.unrest(workerIds);
    hold("C8", unrest === undefined, () => `long after the faults stopped ${unrest}`);
  }
}

/** @throws {InvariantError} for a write that must not have been accepted. */
function judge({ key, before, after, writer }: TableWrite): void {
  const old = checkpointOf(before);
  if (before === undefined || old === undefined) return;
  const reader = textOf(before, "checkpointOwner") ?? textOf(before, "leaseOwner");
  if (after === undefined) {
    const hasEnded = textOf(before, "checkpoint") === "SHARD_END";
    hold("C4", hasEnded, () => `${writer} deleted the lease of ${key}, whose shard has not ended`);
    return;
  }
  const next = checkpointOf(after);
  hold("C3", next !== undefined && comparePlaces(next, old) >= 0, () => `the checkpoint of ${key} went back`);
  hold(
    "C4",
    numberOf(after, "leaseCounter") >= numberOf(before, "leaseCounter"),
    () => `the counter of ${key} went back`,
  );
  // Anyone may give a lease to a worker; only who reads the shard may say how far it has come, and that it is alive.
  const isAssignment =
    textOf(after, "leaseOwner") !== textOf(before, "leaseOwner") ||
    textOf(after, "checkpointOwner") !== textOf(before, "checkpointOwner");
  const isProgress = next !== undefined && comparePlaces(next, old) > 0;
  const isRenewal = !isAssignment && numberOf(after, "leaseCounter") > numberOf(before, "leaseCounter");
  hold(
    "C4",
    !(isProgress || isRenewal) || writer === reader,
    () => `${writer} wrote the lease of ${key}, which ${reader} has`,
  );
}
