/**
 * Driver. A Kinesis port whose reads are measured under the KCL's names.
 *
 * Source: kcl.md 7. GetRecords says its shard only inside the iterator, so these have no shard.
 */
import type { Answer, KinesisPort } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { KclMetrics } from "./kcl-metrics.ts";

/** The same port. */
export function meteredKinesis(kinesis: KinesisPort, metrics: KclMetrics, system: System): KinesisPort {
  async function measured<T>(name: string, call: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const startedAt = system.now();
    const answer = await call();
    metrics.step("ProcessTask", `KinesisDataFetcher.${name}`, answer.ok, system.now() - startedAt);
    if (!answer.ok && answer.error.code === "ExpiredIteratorException") {
      metrics.summary("ProcessTask", "ExpiredIterator", "Count", 1);
    }
    return answer;
  }
  return {
    putRecords: (request, options) => kinesis.putRecords(request, options),
    listShards: (request, options) => kinesis.listShards(request, options),
    describeStreamSummary: (request, options) => kinesis.describeStreamSummary(request, options),
    getRecords: (request, options) => measured("getRecords", () => kinesis.getRecords(request, options)),
    getShardIterator: (request, options) =>
      measured("getShardIterator", () => kinesis.getShardIterator(request, options)),
  };
}
