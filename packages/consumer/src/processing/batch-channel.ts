/**
 * Driver. Many shards' batches through one loop, one at a time.
 *
 * A shard's next batch is not offered before the reader has come back for more, which tells that it is done with the one
 * it had. Shards take turns in the order in which they came.
 */
import type { LeasedShard, RecordBatch } from "../record.ts";
import { shardBehind } from "./shard-behind.ts";

interface Offer {
  readonly batch: RecordBatch;
  readonly done: () => void;
}

/** The meeting point of the shards and one reader. */
export class BatchChannel {
  readonly #offers: Offer[] = [];
  #inHand: Offer | undefined;
  #wake: (() => void) | undefined;
  #isEnded = false;

  /** A shard handler that gives each batch to the reader. */
  async feed(shard: LeasedShard): Promise<void> {
    const { ending } = shardBehind(shard);
    for await (const batch of shard) {
      if (this.#isEnded) return;
      await this.#offer(batch, ending, shard.signal);
    }
  }

  /** Resolves once the reader is done with the batch, or has not begun with it when the shard is to end. */
  async #offer(batch: RecordBatch, ending: AbortSignal, lost: AbortSignal): Promise<void> {
    let withdraw: (() => void) | undefined;
    let forget: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      const offer: Offer = { batch, done: resolve };
      this.#offers.push(offer);
      withdraw = () => this.#withdraw(offer);
      // The reader may go on with a batch in its hand, but it is not waited for once the lease is lost.
      forget = resolve;
      ending.addEventListener("abort", withdraw);
      lost.addEventListener("abort", forget);
      if (ending.aborted) withdraw();
      this.#wake?.();
    });
    if (withdraw !== undefined) ending.removeEventListener("abort", withdraw);
    if (forget !== undefined) lost.removeEventListener("abort", forget);
  }

  /** The next batch, once there is one; undefined at the end. The batch before counts as done. */
  async next(): Promise<RecordBatch | undefined> {
    this.#inHand?.done();
    this.#inHand = undefined;
    while (!this.#isEnded) {
      const offer = this.#offers.shift();
      if (offer !== undefined) {
        this.#inHand = offer;
        return offer.batch;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return undefined;
  }

  /** No more batches: shards that wait for their turn end their loops. */
  end(): void {
    this.#isEnded = true;
    this.#inHand?.done();
    for (const offer of this.#offers.splice(0)) offer.done();
    this.#wake?.();
  }

  /** A batch that the reader has not begun with is left to the shard's next owner. */
  #withdraw(offer: Offer): void {
    const index = this.#offers.indexOf(offer);
    if (index < 0) return;
    this.#offers.splice(index, 1);
    offer.done();
  }
}
