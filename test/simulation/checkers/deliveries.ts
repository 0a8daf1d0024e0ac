/**
 * Pure. [C1] [C2] [C5] What the handlers of an application get: everything that was acknowledged, in order within an
 * invocation, and a child's records only after its parents have ended.
 */
import type { Ledger } from "../components/ledger.ts";
import type { Row } from "@millrace/consumer";
import { hold, Violations, type Checker } from "../world/checker.ts";
import { textOf } from "../world/lease-table-service.ts";
import { comparePlaces, type Place } from "./place.ts";

/** A user record as a handler got it. */
export interface Delivery extends Place {
  readonly id: string;
}

export class Deliveries implements Checker {
  readonly invariant = "C1";
  readonly #ledger: Ledger;
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #ids = new Set<string>();
  readonly #violations = new Violations();
  #deliveries = 0;
  /** Of the acknowledged puts, how many from the first on are known to be delivered. */
  #delivered = 0;

  constructor(ledger: Ledger, rows: ReadonlyMap<string, Row>) {
    this.#ledger = ledger;
    this.#rows = rows;
  }

  /** Records handed to handlers, repetitions included. */
  get count(): number {
    return this.#deliveries;
  }

  /** Different records handed to handlers. */
  get distinct(): number {
    return this.#ids.size;
  }

  /** A handler of whole batches begins with a shard: gives what takes its records. */
  readonly onHandler = (shardId: string): ((delivery: Delivery) => void) => {
    let last: Delivery | undefined;
    return (delivery) => {
      const before = last;
      last = delivery;
      if (before === undefined) this.checkParents(shardId);
      this.#violations.catch(() =>
        hold(
          "C2",
          before === undefined || comparePlaces(before, delivery) < 0,
          () => `${shardId}: ${delivery.id} came late`,
        ),
      );
      this.onDelivery(delivery.id);
    };
  };

  /** A record was handed to a handler. */
  onDelivery(id: string): void {
    this.#deliveries++;
    this.#ids.add(id);
  }

  /** A record of this shard is handed to a handler: its parents must have ended. */
  checkParents(shardId: string): void {
    const parents = this.#rows.get(shardId)?.["parentShardId"];
    if (parents === undefined || !("SS" in parents)) return;
    for (const parent of parents.SS) {
      const row = this.#rows.get(parent);
      const hasEnded = row === undefined || textOf(row, "checkpoint") === "SHARD_END";
      this.#violations.catch(() => hold("C5", hasEnded, () => `${shardId} was delivered before ${parent} had ended`));
    }
  }

  /** True once every acknowledged put was delivered. */
  hasAll(): boolean {
    return this.#missing() === undefined;
  }

  check(): void {
    this.#violations.check();
  }

  /** The first put that was acknowledged and not delivered. */
  get missing(): string | undefined {
    return this.#missing();
  }

  checkEnd(): void {
    const missing = this.#missing();
    hold("C1", missing === undefined, () => `${missing} was acknowledged, and no handler got it`);
  }

  #missing(): string | undefined {
    const { acknowledged } = this.#ledger;
    for (; this.#delivered < acknowledged.length; this.#delivered++) {
      const id = acknowledged[this.#delivered];
      if (id !== undefined && !this.#ids.has(id)) return id;
    }
    return undefined;
  }
}
