/**
 * Pure. What happened in worlds, counted: a set of runs in which something never happened has not tested it.
 */

/** Counts by name. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  constructor(counts: Readonly<Record<string, number>> = {}) {
    this.add(counts);
  }

  /** Counts one thing once, or `count` times. */
  note(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  add(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) this.note(name, count);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Names of what never happened. */
  missing(required: readonly string[]): readonly string[] {
    return required.filter((name) => this.get(name) === 0);
  }
}
