/** Pure. Whether the digests of aggregates are right: of several at once, because eight cost little more than one. */
import { createHash } from "node:crypto";
import { DIGEST_BYTES, MAGIC, isFramed } from "./format.ts";
import { md5OfMany } from "./md5-many.ts";
import type { KinesisRecord } from "./record.ts";

/** As many as `md5OfMany` hashes side by side. */
const groupRecords = 8;
/** Bytes that one step hashes, about: one by one they take a millisecond or two. */
const stepBytes = 1_048_576;

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

  /** Whether the digest of the framed record at `index` is right, in steps. Asked in rising order. */
  *check(index: number): Generator<never[], boolean> {
    const data = this.#sources[index]?.data ?? new Uint8Array();
    if (data.length > stepBytes) return yield* checkInSteps(data);
    if (index >= this.#groupEnd) this.#checkGroupAt(index);
    return !this.#wrong.has(index);
  }

  #checkGroupAt(start: number): void {
    const sources = this.#sources;
    const indexes: number[] = [];
    const messages: Uint8Array[] = [];
    let bytes = 0;
    let index = start;
    for (; index < sources.length && messages.length < groupRecords && bytes < stepBytes; index++) {
      const data = sources[index]?.data;
      if (data === undefined || data.length > stepBytes || !isFramed(data)) continue;
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

/** A large record alone, piece by piece. */
function* checkInSteps(data: Uint8Array): Generator<never[], boolean> {
  const end = data.length - DIGEST_BYTES;
  const hash = createHash("md5");
  for (let from = MAGIC.length; from < end; from += stepBytes) {
    // Before the first piece too: what the caller did in this turn of the event loop would add up.
    yield [];
    hash.update(data.subarray(from, Math.min(end, from + stepBytes)));
  }
  yield [];
  return hash.digest().equals(data.subarray(end));
}
