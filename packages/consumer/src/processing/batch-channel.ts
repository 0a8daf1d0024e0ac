/**
 * Driver. Many shards' batches through one loop, one at a time.
 *
 * A shard's next batch is not offered before the reader has come back for more, which tells that it is done with the one
 * it had. Shards take turns in the order in which they came.
 */
import type { LeasedShard, RecordBatch } from "../record.ts";

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
    for await (const batch of shard) {
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => {
        const offer: Offer = { batch, done: resolve };
        this.#offers.push(offer);
        shard.signal.addEventListener("abort", () => this.#withdraw(offer), { once: true });
        this.#wake?.();
      });
    }
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

  /** A batch whose lease is lost is not offered any more; one in the reader's hand is its own affair. */
  #withdraw(offer: Offer): void {
    const index = this.#offers.indexOf(offer);
    if (index >= 0) this.#offers.splice(index, 1);
    offer.done();
  }
}
