/**
 * Driver. Takes the body of an answer into memory that is used again for the next one.
 *
 * A fresh buffer of some megabytes for every answer costs its pages and drives full garbage collections: together more than
 * reading the JSON in it. So a body lives only as long as it is being decoded, and decoding copies what it keeps.
 */

/** A readable stream of Node, as far as it is used here. */
interface ByteStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
}

/** Most bytes that are kept for later: one answer of GetRecords with its base64, 10 MiB and a third. */
const keptMaxBytes = 16 * 1024 * 1024;
const minBytes = 65_536;

/** Buffers for bodies. */
export class BodyBuffers {
  readonly #idle: Buffer[] = [];
  #idleBytes = 0;

  /** Memory for at least `bytes`, of any content. */
  take(bytes: number): Buffer {
    const index = this.#idle.findIndex((buffer) => buffer.length >= bytes);
    const [found] = index < 0 ? [] : this.#idle.splice(index, 1);
    if (found === undefined) return Buffer.allocUnsafeSlow(Math.max(minBytes, bytes));
    this.#idleBytes -= found.length;
    return found;
  }

  /** Gives memory back that nobody looks at any more. */
  giveBack(buffer: Buffer): void {
    if (this.#idleBytes + buffer.length > keptMaxBytes) return;
    this.#idle.push(buffer);
    this.#idleBytes += buffer.length;
  }
}

/** True for a stream of the HTTP modules; other handlers may give streams of other kinds. */
export function isByteStream(body: unknown): body is ByteStream {
  return typeof body === "object" && body !== null && "on" in body && "readableFlowing" in body;
}

/**
 * The whole of `stream`, at the beginning of a buffer out of `buffers`, which is the caller's to give back.
 * @param expectedBytes what the answer's header says; a body of another length is taken all the same.
 */
export function collectBody(
  stream: ByteStream,
  expectedBytes: number,
  buffers: BodyBuffers,
): Promise<{ readonly buffer: Buffer; readonly length: number }> {
  return new Promise((resolve, reject) => {
    let buffer = buffers.take(expectedBytes);
    let length = 0;
    stream.on("data", (chunk) => {
      if (length + chunk.length > buffer.length) {
        const larger = buffers.take(Math.max(2 * buffer.length, length + chunk.length));
        larger.set(buffer.subarray(0, length));
        buffers.giveBack(buffer);
        buffer = larger;
      }
      buffer.set(chunk, length);
      length += chunk.length;
    });
    stream.on("end", () => resolve({ buffer, length }));
    stream.on("error", reject);
    stream.on("close", () => reject(new Error("The answer was cut off.")));
  });
}
