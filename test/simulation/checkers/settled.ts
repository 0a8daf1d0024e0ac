/**
 * Pure. [C7] After close no put is left unsettled; and none waits longer than its lifetime allows.
 */
import type { Ledger } from "../components/ledger.ts";
import { hold, type Checker } from "../world/checker.ts";

export class EveryPutSettles implements Checker {
  readonly invariant = "C7";
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  check(): void {
    // Whether a put is late cannot be told from outside while its host is stalled: the end decides.
  }

  checkEnd(): void {
    const pending = this.#ledger.entries().filter((entry) => entry.fate.kind === "pending");
    hold(this.invariant, pending.length === 0, () => `${pending.length} puts never settled, ${pending[0]?.id} first`);
  }
}
