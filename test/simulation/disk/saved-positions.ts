/**
 * Driver. The agent's positions on the disk of the world: durable when a call returns, except on a disk that lies about
 * it; a full disk refuses to write.
 */
import { MemoryPositionStore, type PositionStore, type SavedFlow, type SavedGeneration } from "@millrace/agent";

type Change = readonly [flowId: string, rows: readonly SavedGeneration[], removedIds: readonly string[]];

/** For so long a disk may keep what it said was written. */
const keptMs = 30_000;

export class SavedPositions implements PositionStore {
  /** Called with the rows of each save. */
  onSave: (rows: readonly SavedGeneration[]) => void = () => undefined;
  isFull = false;
  /** What has been written for certain, and the changes since. */
  readonly #base = new MemoryPositionStore();
  #recent: { readonly atMs: number; readonly change: Change }[] = [];
  #store = new MemoryPositionStore();
  readonly #flowIds = new Set<string>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  load(flowId: string): SavedFlow {
    return this.#store.load(flowId);
  }

  save(...change: Change): void {
    if (this.isFull) throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR" });
    this.onSave(change[1]);
    this.#store.save(...change);
    this.#flowIds.add(change[0]);
    const atMs = this.#nowMs();
    this.#recent.push({ atMs, change });
    const certain = this.#recent.findIndex((recent) => recent.atMs > atMs - keptMs);
    for (const old of this.#recent.splice(0, certain)) this.#base.save(...old.change);
  }

  close(): void {}

  /** What a disk that lied about being done leaves: the changes that are older than this. */
  forget(forMs: number): void {
    this.#recent = this.#recent.filter(({ atMs }) => atMs <= this.#nowMs() - forMs);
    this.#store = new MemoryPositionStore();
    for (const flowId of this.#flowIds) {
      const { isKnown, generations } = this.#base.load(flowId);
      if (isKnown) this.#store.save(flowId, generations, []);
    }
    for (const { change } of this.#recent) this.#store.save(...change);
  }
}
