/**
 * Driver. Compresses aggregates in zlib's threads, a few at a time, so that the event loop goes on.
 */
import { promisify } from "node:util";
import zlib from "node:zlib";
import type { CompressionAlgorithm } from "@millrace/aggregation";
import PQueue from "p-queue";

/** The bytes, compressed. */
export type Compress = (bytes: Uint8Array, algorithm: CompressionAlgorithm) => Promise<Uint8Array>;

/** libuv has four threads by default, which files and names need as well. */
const concurrency = 2;

const compressInThread: Compress = (bytes, algorithm) =>
  algorithm === "gzip" ? promisify(zlib.gzip)(bytes) : promisify(zlib.zstdCompress)(bytes);

export class Compressor {
  readonly #compress: Compress;
  readonly #queue = new PQueue({ concurrency });

  constructor(compress: Compress | undefined) {
    this.#compress = compress ?? compressInThread;
  }

  /** Undefined when it did not work out; the bytes can go as they are. */
  async compress(bytes: Uint8Array, algorithm: CompressionAlgorithm): Promise<Uint8Array | undefined> {
    try {
      return await this.#queue.add(() => this.#compress(bytes, algorithm));
    } catch {
      return undefined;
    }
  }
}
