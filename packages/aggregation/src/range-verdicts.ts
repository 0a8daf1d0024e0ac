/** Pure. Whether the keys of an aggregate belong to a shard's range. */
import { hashKeyOrUndefined, partitionKeyHash } from "./hash-key.ts";
import type { MessageReader } from "./wire.ts";

/** Verdicts on a table's keys, each given once: a hash costs more than a record. */
export class RangeVerdicts {
  readonly #reader: MessageReader;
  readonly #range: { readonly start: bigint; readonly end: bigint };
  /** 0 for not judged, 1 for inside, 2 for outside. */
  readonly #byPartitionKey: Uint8Array;
  readonly #byExplicitHashKey: Uint8Array;

  constructor(reader: MessageReader, range: { readonly start: bigint; readonly end: bigint }) {
    this.#reader = reader;
    this.#range = range;
    this.#byPartitionKey = new Uint8Array(reader.partitionKeys.count);
    this.#byExplicitHashKey = new Uint8Array(reader.explicitHashKeys.count);
  }

  /** Both indexes are within their tables; the second is -1 where there is none. */
  isOutside(partitionKeyIndex: number, explicitHashKeyIndex: number): boolean {
    const isExplicit = explicitHashKeyIndex >= 0;
    const verdicts = isExplicit ? this.#byExplicitHashKey : this.#byPartitionKey;
    const index = isExplicit ? explicitHashKeyIndex : partitionKeyIndex;
    let verdict = verdicts[index];
    if (verdict === 0) {
      const hashKey = isExplicit
        ? hashKeyOrUndefined(this.#reader.explicitHashKeys.at(index))
        : partitionKeyHash(this.#reader.partitionKeys.at(index) ?? "");
      const isInside = hashKey !== undefined && hashKey >= this.#range.start && hashKey <= this.#range.end;
      verdict = isInside ? 1 : 2;
      verdicts[index] = verdict;
    }
    return verdict === 2;
  }
}
