/**
 * Pure. The bytes of a simulated file, from its creation or emptying on: they only grow, until they are destroyed.
 */

/** Bytes that were on the disk. */
export class Content {
  /** Bytes that a loss of power leaves. */
  syncedBytes = 0;
  /** How far the living agent has read them, and how far it says that it has seen them. */
  readBytes = 0;
  seenBytes = 0;
  #buffer = Buffer.alloc(1_024);
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The bytes; a view that the next `append` may leave behind. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#sizeBytes);
  }

  append(bytes: Uint8Array): void {
    const sizeBytes = this.#sizeBytes + bytes.byteLength;
    if (sizeBytes > this.#buffer.byteLength) {
      const grown = Buffer.alloc(Math.max(sizeBytes, 2 * this.#buffer.byteLength));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  /** The first `sizeBytes` of it. */
  beginning(sizeBytes: number): Content {
    const content = new Content();
    content.append(this.bytes.subarray(0, sizeBytes));
    content.syncedBytes = Math.min(sizeBytes, this.syncedBytes);
    content.readBytes = Math.min(sizeBytes, this.readBytes);
    return content;
  }
}
