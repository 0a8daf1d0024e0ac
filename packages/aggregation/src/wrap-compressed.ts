/** Pure. Puts the bytes of a compressed aggregate into the record that carries them; `compression.ts` tells the format. */
import { Aggregator } from "./aggregate.ts";
import { COMPRESSION_TAG, maxOpenedBytes, type CompressionAlgorithm } from "./compression.ts";
import { MAX_RECORD_BYTES, type AggregatedRecord } from "./record.ts";

/**
 * The Kinesis record that carries `compressed`, which is `aggregate.data` after compression: under the aggregate's own
 * partition key and hash key, so that it goes where the aggregate would. Undefined when no reader would open it, because it
 * grows by too much.
 */
export function wrapCompressed(
  aggregate: AggregatedRecord,
  compressed: Uint8Array,
  algorithm: CompressionAlgorithm,
): AggregatedRecord | undefined {
  if (aggregate.data.byteLength > maxOpenedBytes(compressed.byteLength)) return undefined;
  const { partitionKey, explicitHashKey, count } = aggregate;
  const aggregator = new Aggregator({ maxBytes: MAX_RECORD_BYTES - 1 });
  aggregator.add({ partitionKey, explicitHashKey, data: compressed, tags: { [COMPRESSION_TAG]: algorithm } });
  return { ...aggregator.build(), count };
}
