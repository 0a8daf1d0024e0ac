import type { PutRecordsResultEntry } from "@millrace/core/kinesis";
import type { Metrics } from "@millrace/core/observe";
import { expect, test } from "vitest";
import { refusal, streamName, World } from "./testing-support/world.ts";

class Sums implements Metrics {
  readonly sums = new Map<string, number>();
  readonly samples = new Map<string, number>();
  readonly scopes = new Map<string, unknown>();

  record(name: string, _unit: string, value: number, scope: object, samples = 1): void {
    this.sums.set(name, (this.sums.get(name) ?? 0) + value * samples);
    this.samples.set(name, (this.samples.get(name) ?? 0) + samples);
    this.scopes.set(name, scope);
  }
}

const throttled: PutRecordsResultEntry = {
  ok: false,
  errorCode: "ProvisionedThroughputExceededException",
  errorMessage: "slow",
};

test("the KPL's metrics count user records, Kinesis records, retries and errors", async () => {
  const world = new World();
  let requests = 0;
  world.port.on("putRecords", (request, forward) => {
    requests += 1;
    if (requests === 1) return Promise.resolve(refusal("ServiceUnavailable", "transient", 503));
    if (requests > 2) return forward();
    const records = request.records.map(() => throttled);
    return Promise.resolve({ ok: true, value: { records }, serviceTime: undefined });
  });
  const metrics = new Sums();
  const producer = world.producer({ metrics });
  await world.until(Promise.all(["abc", "de", ""].map((data) => producer.put({ partitionKey: "k", data }))));
  expect(Object.fromEntries(metrics.sums)).toMatchObject({
    UserRecordsReceived: 3,
    UserRecordsPut: 3,
    UserRecordsDataPut: 5,
    KinesisRecordsPut: 1,
    AllErrors: 2,
    ErrorsByCode: 2,
    RetriesPerRecord: 6,
    UserRecordsPerKinesisRecord: 9,
    KinesisRecordsPerPutRecordsRequest: 3,
    UserRecordsPerPutRecordsRequest: 9,
  });
  expect([metrics.samples.get("RequestTime"), metrics.samples.get("BufferingTime")]).toEqual([3, 3]);
  expect(metrics.scopes.get("UserRecordsPut")).toEqual({ streamName, shardId: "shardId-000000000000" });
  expect(metrics.scopes.get("ErrorsByCode")).toMatchObject({ errorCode: throttled.errorCode });
});

test("a record whose lifetime ends counts as expired", async () => {
  const world = new World();
  world.port.on("putRecords", () => Promise.resolve(refusal("ServiceUnavailable", "transient", 503)));
  const metrics = new Sums();
  const put = world.producer({ metrics, recordTtlMs: 1_000 }).put({ partitionKey: "k", data: "x" });
  await expect(world.until(put)).rejects.toMatchObject({ code: "Expired" });
  expect([metrics.sums.get("UserRecordExpired"), metrics.sums.get("UserRecordsPut")]).toEqual([1, 0]);
});
