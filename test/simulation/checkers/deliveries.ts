/**
 * Pure. [C1] [C2] [C5] What the handlers of an application get: everything that was acknowledged, in order within an
 * invocation, and a child's records only after its parents have ended.
 */
import type { MemoryLeaseTable } from "@millrace/consumer/testing";
import type { Delivery } from "../components/working.ts";
import type { Ledger } from "../components/ledger.ts";
import { hold, type Checker } from "../world/checker.ts";
import { textOf } from "../world/table-over.ts";

export class Deliveries implements Checker {
  readonly invariant = "C1";
  readonly #ledger: Ledger;
  readonly #table: MemoryLeaseTable;
  readonly #ids = new Set<string>();
  #deliveries = 0;
  #violation: (() => void) | undefined;

  constructor(ledger: Ledger, table: MemoryLeaseTable) {
    this.#ledger = ledger;
    this.#table = table;
  }

  /** Records handed to handlers, repetitions included. */
  get count(): number {
    return this.#deliveries;
  }

  /** Different records handed to handlers. */
  get distinct(): number {
    return this.#ids.size;
  }

  /** A handler begins: gives what takes its records. */
  readonly onHandler = (shardId: string): ((delivery: Delivery) => void) => {
    let last: Delivery | undefined;
    return (delivery) => {
      this.#deliveries++;
      this.#ids.add(delivery.id);
      const before = last;
      last = delivery;
      // A throw here would look like a failure of the handler: the next check throws instead.
      this.#violation ??= violationOf(() => {
        hold("C2", before === undefined || isBefore(before, delivery), () => `${shardId}: ${delivery.id} came late`);
        if (before === undefined) this.#checkParents(shardId);
      });
    };
  };

  /** True once every acknowledged put was delivered. */
  hasAll(): boolean {
    return this.#missing() === undefined;
  }

  check(): void {
    this.#violation?.();
  }

  checkEnd(): void {
    const missing = this.#missing();
    hold("C1", missing === undefined, () => `${missing} was acknowledged, and no handler got it`);
  }

  #missing(): string | undefined {
    return this.#ledger.entries().find((entry) => entry.fate.kind === "acknowledged" && !this.#ids.has(entry.id))?.id;
  }

  #checkParents(shardId: string): void {
    const parents = this.#table.rows.get(shardId)?.["parentShardId"];
    if (parents === undefined || !("SS" in parents)) return;
    for (const parent of parents.SS) {
      const row = this.#table.rows.get(parent);
      const hasEnded = row === undefined || textOf(row, "checkpoint") === "SHARD_END";
      hold("C5", hasEnded, () => `${shardId} was delivered before ${parent} had ended`);
    }
  }
}

function isBefore(a: Delivery, b: Delivery): boolean {
  if (a.sequenceNumber !== b.sequenceNumber) return a.sequenceNumber < b.sequenceNumber;
  return a.subSequenceNumber < b.subSequenceNumber;
}

function violationOf(check: () => void): (() => void) | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
