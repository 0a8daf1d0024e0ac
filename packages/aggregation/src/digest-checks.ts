/** Pure. Whether the digests of aggregates are right: of several at once, because eight cost little more than one. */
import { DIGEST_BYTES, MAGIC, isFramed } from "./format.ts";
import { md5OfMany } from "./md5-many.ts";
import type { KinesisRecord } from "./record.ts";

/** As many as `md5OfMany` hashes side by side. */
const groupRecords = 8;
/** A group begins no further record past this size, so that a step stays short: hashed alone, these take some milliseconds. */
const groupBytes = 1_048_576;

/** The checks of one list of Kinesis records. */
export class DigestChecks {
  readonly #sources: readonly KinesisRecord[];
  /** Where the group ends that was checked last. */
  #groupEnd = 0;
  /** Those of the group whose digests are wrong. */
  readonly #wrong = new Set<number>();

  constructor(sources: readonly KinesisRecord[]) {
    this.#sources = sources;
  }

  /** Of the framed record at `index`. Asked in rising order. */
  isRight(index: number): boolean {
    if (index >= this.#groupEnd) this.#checkGroupAt(index);
    return !this.#wrong.has(index);
  }

  #checkGroupAt(start: number): void {
    const sources = this.#sources;
    const indexes: number[] = [];
    const messages: Uint8Array[] = [];
    let bytes = 0;
    let index = start;
    for (; index < sources.length && messages.length < groupRecords && bytes < groupBytes; index++) {
      const data = sources[index]?.data;
      if (data === undefined || !isFramed(data)) continue;
      // A large one goes alone, whatever comes before it.
      if (messages.length > 0 && data.length > groupBytes) break;
      indexes.push(index);
      messages.push(data.subarray(MAGIC.length, data.length - DIGEST_BYTES));
      bytes += data.length;
    }
    this.#groupEnd = index;
    this.#wrong.clear();
    const digests = md5OfMany(messages);
    for (const [place, wanted] of indexes.entries()) {
      const data = sources[wanted]?.data;
      const at = place * DIGEST_BYTES;
      if (
        data === undefined ||
        digests.compare(data, data.length - DIGEST_BYTES, data.length, at, at + DIGEST_BYTES) !== 0
      )
        this.#wrong.add(wanted);
    }
  }
}
