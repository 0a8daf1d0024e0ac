/**
 * Pure. Buffers for request bodies, used again: a fresh one per request costs its pages and a share of a full garbage
 * collection, which a tenth of the server's time went into with 500 records of 1 KB a request.
 */
export class BodyBuffers {
  readonly #free: Buffer[] = [];

  /** A buffer of at least `bytes`, with anything in it; undefined for sizes that are not kept. */
  take(bytes: number): Buffer | undefined {
    // Said this way round for a length that is no number.
    const isKept = bytes >= minPooledBytes && bytes <= bufferBytes;
    if (!isKept) return undefined;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
  }

  /** Takes a buffer back, whose bytes nobody looks at any more. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < maxFree) this.#free.push(buffer);
  }
}

/** Smaller bodies come in one piece or two, and cost less than their upkeep here would. */
const minPooledBytes = 65_536;

/** Fits 500 records of 2 KB. Pages that a smaller body does not reach are never touched. */
const bufferBytes = 2_097_152;

/** Bodies that are being received or read at one time; more get buffers that are not kept. */
const maxFree = 8;
