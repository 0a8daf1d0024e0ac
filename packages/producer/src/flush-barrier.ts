/**
 * Pure. Tells when everything that was accepted before a flush has settled, and holds failures back until then.
 *
 * A caller may write `const puts = records.map(put); await flush(); await Promise.all(puts)`. Were a put to reject
 * while the flush still runs, nobody would be listening yet and the process would end. So failures of records that a
 * flush waits for are handed over together with the end of that flush.
 */
import { rejectThroughResolve, type Reject, type Resolve } from "./pipeline/records.ts";

/** The records accepted between two flushes. */
export interface Cohort {
  unsettled: number;
  /** True once a flush waits for it: its records need not linger, and its failures are held back. */
  sealed: boolean;
  /** Hands a failure to its caller, once the flush has ended. */
  readonly heldBack: (() => void)[];
  readonly onDone: (() => void)[];
}

function emptyCohort(): Cohort {
  return { unsettled: 0, sealed: false, heldBack: [], onDone: [] };
}

export class FlushBarrier {
  #current = emptyCohort();
  /** Sealed cohorts with unsettled records, oldest first. */
  #sealed: Cohort[] = [];

  /** Where a record accepted now belongs. */
  get cohort(): Cohort {
    return this.#current;
  }

  /** True while a flush waits. */
  get isFlushing(): boolean {
    return this.#sealed.length > 0;
  }

  accepted(cohort: Cohort): void {
    cohort.unsettled += 1;
  }

  /** Calls `onDone` once every record accepted so far has settled; at once when all have. */
  flush(onDone: () => void): void {
    const cohort = this.#current;
    if (cohort.unsettled > 0) {
      cohort.sealed = true;
      this.#sealed.push(cohort);
      this.#current = emptyCohort();
    }
    const last = this.#sealed.at(-1);
    if (last === undefined) onDone();
    else last.onDone.push(onDone);
  }

  settled(cohort: Cohort): void {
    cohort.unsettled -= 1;
    if (!cohort.sealed || cohort.unsettled > 0) return;
    // A flush waits for all cohorts before its own too.
    while (this.#sealed[0]?.unsettled === 0) {
      const done = this.#sealed.shift();
      if (done === undefined) return;
      for (const onDone of done.onDone) onDone();
      for (const reject of done.heldBack) reject();
    }
  }
}

/** Rejects a put, or leaves that to the flush that waits for it. A callback hears of it at once: nobody has to await it. */
export function rejectWith(cohort: Cohort, reject: Reject, resolve: Resolve, error: unknown): void {
  if (cohort.sealed && reject === rejectThroughResolve) cohort.heldBack.push(() => reject(error, resolve));
  else reject(error, resolve);
}
