/**
 * Pure. A checker looks at the world after every event, and once more at the end.
 */

/** One thing that must hold. */
export interface Checker {
  /** The invariant of docs/SPEC.md, such as `C1`. */
  readonly invariant: string;
  /** Looks after an event. @throws {InvariantError} */
  check(): void;
  /** Looks when everything has stopped. @throws {InvariantError} */
  checkEnd?(): void;
}

/** An invariant did not hold. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`[${invariant}] ${message}`);
    this.invariant = invariant;
  }
}

/** @throws {InvariantError} when `condition` is false. */
export function hold(invariant: string, condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new InvariantError(invariant, message());
}

/** What a checker saw where it must not throw: inside a handler or a table. The first of it is thrown by its next check. */
export class Violations {
  #first: { readonly error: unknown } | undefined;

  /** Runs a part of a check, and keeps what it throws. */
  catch(part: () => void): void {
    try {
      part();
    } catch (error) {
      this.#first ??= { error };
    }
  }

  /** @throws {InvariantError} what was kept. */
  check(): void {
    if (this.#first !== undefined) throw this.#first.error;
  }
}
