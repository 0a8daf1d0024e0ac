/**
 * Driver. What an agent holds of the world, cut off at a crash: nothing is stored or saved after it.
 */
import type { Destination, OutgoingRecord } from "../destination.ts";
import type { PositionStore, SavedFlow, SavedGeneration } from "../flow/positions.ts";

const never = new Promise<never>(() => undefined);

/** Passes everything on until the process it stands for dies. */
export class Lifeline implements Destination {
  isDead = false;
  readonly #destination: Destination;
  readonly #store: PositionStore;

  constructor(destination: Destination, store: PositionStore) {
    this.#destination = destination;
    this.#store = store;
  }

  put(record: OutgoingRecord): Promise<unknown> {
    return this.isDead ? never : this.#destination.put(record).then((value) => (this.isDead ? never : value));
  }

  ready(): Promise<void> {
    return this.#destination.ready();
  }

  flush(): Promise<void> {
    return this.#destination.flush();
  }

  /** The positions, as long as the process lives. */
  get store(): PositionStore {
    return {
      load: (flowId): SavedFlow => this.#store.load(flowId),
      save: (flowId, rows: readonly SavedGeneration[], removedIds): void => {
        if (!this.isDead) this.#store.save(flowId, rows, removedIds);
      },
      close: () => undefined,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
