/** Pure. Whether the digests of aggregates are right, of several at once where they come together. */
import { isDigestRight } from "./format.ts";
import type { KinesisRecord } from "./record.ts";

/** The checks of one list of Kinesis records. */
export class DigestChecks {
  readonly #sources: readonly KinesisRecord[];

  constructor(sources: readonly KinesisRecord[]) {
    this.#sources = sources;
  }

  /** Of the framed record at `index`. Asked in rising order. */
  isRight(index: number): boolean {
    const data = this.#sources[index]?.data;
    return data !== undefined && isDigestRight(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
}
