/**
 * Pure. What the KPL measures, under its names and scopes, for whoever gave the producer a `metrics` port.
 *
 * Source: awslabs/amazon-kinesis-producer, metrics.md, `retrier.cc`, `pipeline.h`.
 */
import type { Answer, PutRecordsResponse } from "@millrace/core/kinesis";
import type { Metrics, MetricUnit } from "@millrace/core/observe";
import type { RequestTimes } from "./pipeline/answers.ts";
import type { PlannedRequest } from "./pipeline/effects.ts";
import type { OutgoingRecord } from "./pipeline/records.ts";

export class KplMetrics {
  readonly #metrics: Metrics;
  readonly #streamName: string;

  constructor(metrics: Metrics, streamName: string) {
    this.#metrics = metrics;
    this.#streamName = streamName;
  }

  received(pendingRecords: number): void {
    this.#record("UserRecordsReceived", "Count", 1);
    this.#record("UserRecordsPending", "Count", pendingRecords);
  }

  answered(request: PlannedRequest, answer: Answer<PutRecordsResponse>, times: RequestTimes): void {
    this.#record("RequestTime", "Milliseconds", times.endedAt - times.startedAt);
    this.#record("KinesisRecordsPerPutRecordsRequest", "Count", request.records.length);
    this.#record("UserRecordsPerPutRecordsRequest", "Count", request.userRecords);
    if (!answer.ok) this.#error(answer.error.code, undefined);
    for (const [index, outgoing] of request.records.entries()) {
      const { shardId } = outgoing;
      this.#record("UserRecordsPerKinesisRecord", "Count", outgoing.members.length, shardId);
      this.#record("BufferingTime", "Milliseconds", Math.max(0, times.startedAt - outgoing.lastTouchedAt), shardId);
      const result = answer.ok ? answer.value.records[index] : undefined;
      if (result === undefined) continue;
      this.#record("KinesisRecordsPut", "Count", result.ok ? 1 : 0, shardId);
      if (!result.ok) {
        this.#error(result.errorCode, shardId);
        continue;
      }
      this.#record("AllErrors", "Count", 0, shardId);
      this.#record("KinesisRecordsDataPut", "Bytes", request.entries[index]?.data.byteLength ?? 0, shardId);
    }
  }

  stored(outgoing: OutgoingRecord, shardId: string): void {
    const { members } = outgoing;
    this.#record("UserRecordsPut", "Count", 1, shardId, members.length);
    for (const { data } of members) this.#record("UserRecordsDataPut", "Bytes", data.byteLength, shardId);
    this.#record("RetriesPerRecord", "Count", Math.max(0, outgoing.attempts.length - 1), shardId, members.length);
  }

  failed(records: number, code: string): void {
    this.#record("UserRecordsPut", "Count", 0, undefined, records);
    if (code === "Expired") this.#record("UserRecordExpired", "Count", 1, undefined, records);
  }

  #error(errorCode: string, shardId: string | undefined): void {
    this.#record("AllErrors", "Count", 1, shardId);
    this.#metrics.record("ErrorsByCode", "Count", 1, { errorCode, streamName: this.#streamName, shardId });
  }

  #record(name: string, unit: MetricUnit, value: number, shardId?: string, samples?: number): void {
    this.#metrics.record(name, unit, value, { streamName: this.#streamName, shardId }, samples);
  }
}
