/**
 * Pure. Memory for the blobs of requests: small ones share slabs, so that a record costs a view and not an allocation.
 *
 * Measured with 500 records of 1 KB a request: an allocation of its own per blob took a fifth of the server's time, most
 * of it in the garbage collector. Records of one slab were stored together and are trimmed together.
 */
export class BlobMemory {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** A copy of `bytes`. */
  copy(bytes: Uint8Array): Uint8Array {
    const blob = this.#take(bytes.length);
    blob.set(bytes);
    return blob;
  }

  /** What the base64 `text` holds, where that is exactly `length` bytes; undefined where it holds less. */
  decode(text: string, length: number): Uint8Array | undefined {
    const blob = this.#take(length);
    return blob.write(text, "base64") === length ? blob : undefined;
  }

  #take(length: number): Buffer {
    if (length > maxSharedBytes) return Buffer.allocUnsafeSlow(length);
    if (this.#used + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#used = 0;
    }
    const blob = this.#slab.subarray(this.#used, this.#used + length);
    // Views at multiples of 8 are what the platform copies fastest.
    this.#used = (this.#used + length + 7) & ~7;
    return blob;
  }
}

const slabBytes = 262_144;

/** At most a quarter of a slab is lost at its end. */
const maxSharedBytes = slabBytes / 4;
