import { describe, expect, it } from "vitest";
import { cloudWatchMetrics, embeddedMetrics } from "./metrics-upload.ts";
import { MetricTree, type PutMetricDataInput } from "./metrics.ts";

const sendNothing = () => Promise.resolve();

describe("the tree of series", () => {
  it("makes seven series of one name from two streams of two shards, as the KPL does", () => {
    const tree = new MetricTree("shard");
    for (const streamName of ["a", "b"]) {
      for (const shardId of ["0", "1"]) tree.record("UserRecordsPut", "Count", 2, { streamName, shardId }, 3);
    }
    const series = tree.take();
    expect(series).toHaveLength(7);
    expect(series[0]).toEqual({
      name: "UserRecordsPut",
      unit: "Count",
      dimensions: [],
      sum: 24,
      minimum: 2,
      maximum: 2,
      samples: 12,
    });
    expect(series.map((one) => one.dimensions.length).toSorted((a, b) => a - b)).toEqual([0, 1, 1, 2, 2, 2, 2]);
    expect(tree.isEmpty).toBe(true);
  });

  it.each([
    ["global", [[], ["ErrorCode"]]],
    ["stream", [[], ["ErrorCode"], ["ErrorCode", "StreamName"]]],
    ["shard", [[], ["ErrorCode"], ["ErrorCode", "StreamName"], ["ErrorCode", "StreamName", "ShardId"]]],
  ] as const)("at granularity %s goes no deeper", (granularity, expected) => {
    const tree = new MetricTree(granularity);
    tree.record("ErrorsByCode", "Count", 1, { errorCode: "X", streamName: "a", shardId: "0" });
    expect(tree.take().map((one) => one.dimensions.map(([name]) => name))).toEqual(expected);
  });
});

describe("values of an operation", () => {
  it.each([
    ["global", ["Operation"]],
    ["stream", ["Operation", "WorkerIdentifier", "StreamId"]],
    ["shard", ["Operation", "WorkerIdentifier", "StreamId", "ShardId"]],
  ] as const)("make one series under it at granularity %s, as the KCL's", (granularity, expected) => {
    const tree = new MetricTree(granularity);
    const scope = { operation: "ProcessTask", workerId: "w", streamName: "a", shardId: "0" };
    tree.record("RecordsProcessed", "Count", 3, scope);
    tree.record("RecordsProcessed", "Count", 5, scope);
    const [series, ...others] = tree.take();
    expect(others).toEqual([]);
    expect(series).toMatchObject({ sum: 8, minimum: 3, maximum: 5, samples: 2 });
    expect(series?.dimensions.map(([name]) => name)).toEqual(expected);
  });
});

describe("the adapters", () => {
  it("CloudWatch gets statistics of at most 20 series a request", async () => {
    const inputs: PutMetricDataInput[] = [];
    const metrics = cloudWatchMetrics({ send: (input) => Promise.resolve(inputs.push(input)), granularity: "shard" });
    for (let shard = 0; shard < 40; shard++) {
      metrics.record("RequestTime", "Milliseconds", shard, { streamName: "a", shardId: `${shard}` });
    }
    await metrics.close();
    metrics.record("RequestTime", "Milliseconds", 1, {});
    await metrics.close();
    expect(inputs.map((input) => input.MetricData.length)).toEqual([20, 20, 2]);
    expect(inputs[0]).toMatchObject({ Namespace: "KinesisProducerLibrary" });
    expect(inputs[0]?.MetricData[1]).toMatchObject({
      MetricName: "RequestTime",
      Dimensions: [{ Name: "StreamName", Value: "a" }],
      StatisticValues: { SampleCount: 40, Sum: 780, Minimum: 0, Maximum: 39 },
    });
  });

  it("a failed upload is reported, and later ones go on", async () => {
    const errors: unknown[] = [];
    let calls = 0;
    const send = () => (++calls === 1 ? Promise.reject(new Error("denied")) : Promise.resolve());
    const metrics = cloudWatchMetrics({ send, onError: (error) => errors.push(error) });
    metrics.record("AllErrors", "Count", 1, {});
    await metrics.flush();
    metrics.record("AllErrors", "Count", 1, {});
    await metrics.flush();
    expect([calls, errors]).toEqual([2, [new Error("denied")]]);
  });

  it("embedded metrics are one JSON line for each series", async () => {
    const lines: string[] = [];
    const metrics = embeddedMetrics({ write: (line) => lines.push(line), namespace: "Mine" });
    metrics.record("AllErrors", "Count", 1, { streamName: "a" }, 2);
    metrics.record("AllErrors", "Count", 4, { streamName: "a" });
    await metrics.close();
    const parsed = lines.map((line) => JSON.parse(line) as unknown);
    expect(parsed).toMatchObject([
      { AllErrors: { Sum: 6, Count: 3, Min: 1, Max: 4 } },
      {
        StreamName: "a",
        _aws: {
          CloudWatchMetrics: [{ Namespace: "Mine", Dimensions: [["StreamName"]], Metrics: [{ Name: "AllErrors" }] }],
        },
      },
    ]);
  });

  it("drop dimensions that CloudWatch would refuse, and keep to what it takes", async () => {
    const inputs: PutMetricDataInput[] = [];
    const metrics = cloudWatchMetrics({ send: (input) => Promise.resolve(inputs.push(input)) });
    metrics.record("ErrorsByCode", "Count", 1, { errorCode: " ", streamName: "caf\u00e9\n" });
    await metrics.close();
    expect(inputs[0]?.MetricData.at(-1)?.Dimensions).toEqual([{ Name: "StreamName", Value: "caf??" }]);
  });

  it("refuse options that cannot be", () => {
    expect(() => cloudWatchMetrics({ send: sendNothing, namespace: "AWS/Kinesis" })).toThrow(
      /namespace: expected 1 to 255/,
    );
    expect(() => cloudWatchMetrics({ send: sendNothing, namespace: "n".repeat(256) })).toThrow(
      /namespace: expected 1 to 255/,
    );
    expect(() => cloudWatchMetrics({} as never)).toThrow(/send: expected a function/);
    expect(() => embeddedMetrics({ write: () => {}, granularity: "host" as never })).toThrow(/granularity: expected/);
  });
});
