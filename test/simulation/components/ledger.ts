/**
 * Pure. The puts of a world: which record was put when, and what its producer was told about it.
 */

/** What became of a put, as its producer's caller sees it. */
export type PutFate =
  | { readonly kind: "pending" }
  | {
      readonly kind: "acknowledged";
      readonly shardId: string;
      readonly sequenceNumber: string;
      readonly subSequenceNumber: number | undefined;
    }
  | { readonly kind: "failed"; readonly code: string; readonly mayHaveBeenStored: boolean }
  /** The buffer was full and no more puts may wait. */
  | { readonly kind: "refused" }
  /** Its producer was killed before it learned anything. */
  | { readonly kind: "abandoned" };

export interface PutEntry {
  readonly id: string;
  readonly partitionKey: string;
  readonly bytes: number;
  readonly putAtMs: number;
  fate: PutFate;
}

export class Ledger {
  readonly #entries: PutEntry[] = [];
  readonly #acknowledged: string[] = [];
  #fresh: PutEntry[] = [];

  add(entry: PutEntry): void {
    this.#entries.push(entry);
  }

  settle(entry: PutEntry, fate: PutFate): void {
    entry.fate = fate;
    if (fate.kind === "acknowledged") this.#acknowledged.push(entry.id);
    this.#fresh.push(entry);
  }

  /** Entries that have settled since the last call. */
  takeSettled(): readonly PutEntry[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  entries(): readonly PutEntry[] {
    return this.#entries;
  }

  /** Ids of the puts that were acknowledged, in the order in which they were. */
  get acknowledged(): readonly string[] {
    return this.#acknowledged;
  }

  count(kind: PutFate["kind"]): number {
    let count = 0;
    for (const entry of this.#entries) if (entry.fate.kind === kind) count++;
    return count;
  }
}
