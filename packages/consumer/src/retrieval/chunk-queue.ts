/**
 * Driver. Chunks on their way from a reader to its handler, counted in bytes [C6].
 */
import type { ByteBudget, Reservation } from "./byte-budget.ts";
import type { ShardChunk } from "./shard-reader.ts";

/** What one shard has fetched and its handler has not taken. */
export class ChunkQueue {
  readonly #maxBytes: number;
  readonly #budget: ByteBudget;
  readonly #chunks: { readonly chunk: ShardChunk; readonly bytes: number }[] = [];
  #bufferedBytes = 0;
  #reservation: Reservation | undefined;
  #isClosed = false;
  #crash: { readonly error: unknown } | undefined;
  #wakeTaker: (() => void) | undefined;
  #giver: { readonly expectedBytes: number; readonly resolve: () => void } | undefined;

  /** @param maxBytes of this shard; `budget` bounds all shards together. */
  constructor(maxBytes: number, budget: ByteBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  give(chunk: ShardChunk, bytes: number): void {
    this.release();
    this.#bufferedBytes += bytes;
    this.#budget.take(bytes);
    this.#chunks.push({ chunk, bytes });
    this.#wakeTaker?.();
  }

  /** The next chunk, once there is one; rejects with the signal's reason, or with what `fail` was given. */
  async take(signal: AbortSignal): Promise<ShardChunk> {
    for (;;) {
      signal.throwIfAborted();
      const head = this.#chunks.shift();
      if (head !== undefined) {
        this.#giveBack(head.bytes);
        return head.chunk;
      }
      if (this.#crash !== undefined) throw this.#crash.error;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", wake);
          this.#wakeTaker = undefined;
          resolve();
        };
        signal.addEventListener("abort", wake, { once: true });
        this.#wakeTaker = wake;
        this.#admitGiver();
      });
    }
  }

  /**
   * Resolves once about `expectedBytes` may be fetched, or the queue is closed. They are set aside until the next `give`
   * or `release`.
   */
  room(expectedBytes: number): Promise<void> {
    this.release();
    return new Promise((resolve) => {
      this.#giver = { expectedBytes, resolve };
      this.#admitGiver();
    });
  }

  /** Lets the giver that waits go on, if it may. True when nobody waits any more. */
  readonly #admitGiver = (): boolean => {
    const giver = this.#giver;
    if (giver === undefined) return true;
    const isWaitedFor = this.#chunks.length === 0 && this.#wakeTaker !== undefined;
    if (!this.#isClosed) {
      if (!isWaitedFor && this.#bufferedBytes >= this.#maxBytes) return false;
      this.#reservation = this.#budget.reserve(giver.expectedBytes, isWaitedFor);
      if (this.#reservation === undefined) {
        this.#budget.wait(this.#admitGiver);
        return false;
      }
    }
    this.#giver = undefined;
    giver.resolve();
    return true;
  };

  /** Gives back what was set aside, when nothing came of it. */
  release(): void {
    this.#reservation?.release();
    this.#reservation = undefined;
  }

  /** Hands a failure that is a bug to the taker. */
  fail(error: unknown): void {
    this.#crash = { error };
    this.#wakeTaker?.();
  }

  /** Ends the waiting on both sides. */
  close(): void {
    this.#isClosed = true;
    this.#admitGiver();
    this.#wakeTaker?.();
  }

  /** Drops what nobody took. */
  clear(): void {
    for (const { bytes } of this.#chunks.splice(0)) this.#giveBack(bytes);
  }

  #giveBack(bytes: number): void {
    this.#bufferedBytes -= bytes;
    this.#budget.giveBack(bytes);
    this.#admitGiver();
  }
}

/** Bytes that records take in memory, roughly. */
export function recordBytes(records: readonly { readonly data: Uint8Array }[]): number {
  return records.reduce((sum, record) => sum + record.data.byteLength + 200, 0);
}
