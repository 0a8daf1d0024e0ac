/**
 * Pure. Positions in memory, for the simulation and for embedders who keep none.
 */
import type { PositionStore, SavedFlow, SavedGeneration } from "./positions.ts";

/** A store that lives as long as the object does. */
export class MemoryPositionStore implements PositionStore {
  readonly #flows = new Map<string, Map<string, SavedGeneration>>();

  /** What was saved for the flow. */
  load(flowId: string): SavedFlow {
    const rows = this.#flows.get(flowId);
    return { isKnown: rows !== undefined, generations: [...(rows?.values() ?? [])] };
  }

  /** Keeps the rows and forgets the others. */
  save(flowId: string, rows: readonly SavedGeneration[], removedIds: readonly string[]): void {
    const saved = this.#flows.get(flowId) ?? new Map<string, SavedGeneration>();
    for (const row of rows) saved.set(row.id, row);
    for (const id of removedIds) saved.delete(id);
    this.#flows.set(flowId, saved);
  }

  /** Nothing to close. */
  close(): void {}
}
