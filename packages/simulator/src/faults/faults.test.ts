import { describe, expect, test } from "vitest";
import type { ServiceOutput, SubscriptionFrame } from "../service-port.ts";
import { WireFault } from "../service-error.ts";
import { recordsOf, StillSimulator } from "../testing-support/still-simulator.ts";
import { faultKinds, type FaultOptions } from "./fault.ts";
import { parseFault } from "./parse-fault.ts";

const streamName = "clicks";
const first = "shardId-000000000000";

function entries(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    Data: new Uint8Array(1),
    PartitionKey: "k",
    ExplicitHashKey: index % 2 === 0 ? "0" : String(2n ** 127n),
  }));
}

function withStream(shardCount = 2, streamMode: "PROVISIONED" | "ON_DEMAND" = "PROVISIONED") {
  const simulator = new StillSimulator({ transitionMs: 0 });
  const created = simulator.createStream({ streamName, shardCount, streamMode });
  return { simulator, ...created };
}

async function refusals(simulator: StillSimulator, options: FaultOptions, calls: number) {
  const fault = simulator.fault(options);
  const out = [];
  for (let call = 0; call < calls; call++) {
    out.push((await simulator.refusal("DescribeStreamSummary", { StreamName: streamName })) !== "no refusal");
  }
  return { out, fault };
}

async function wireFault(call: Promise<ServiceOutput>): Promise<WireFault> {
  try {
    await call;
  } catch (error) {
    if (error instanceof WireFault) return error;
    throw error;
  }
  throw new Error("no fault on the wire");
}

describe("how often a fault strikes", () => {
  test("by count", async () => {
    const { simulator } = withStream();
    const { out, fault } = await refusals(simulator, { kind: "internal-failure", count: 2 }, 4);
    expect(out).toEqual([true, true, false, false]);
    expect([fault.struck, fault.isOver]).toEqual([2, true]);
  });

  test("by script", async () => {
    const { simulator } = withStream();
    const { out } = await refusals(simulator, { kind: "internal-failure", script: ".x.x" }, 6);
    expect(out).toEqual([false, true, false, true, false, false]);
  });

  test("by rate, the same each time for the same seed", async () => {
    const runs = await Promise.all(
      [0, 1].map(async () => (await refusals(withStream().simulator, { kind: "throttle", rate: 0.3 }, 20)).out),
    );
    expect(runs[0]).toEqual(runs[1]);
    const struck = runs[0]?.filter(Boolean).length ?? 0;
    expect(struck).toBeGreaterThan(1);
    expect(struck).toBeLessThan(15);
  });

  test("until it is stopped, or all are cleared", async () => {
    const { simulator } = withStream();
    const { fault } = await refusals(simulator, { kind: "throttle" }, 1);
    simulator.fault({ kind: "service-unavailable" });
    fault.stop();
    const input = { StreamName: streamName };
    expect(await simulator.refusal("ListShards", input)).toMatch(/^ServiceUnavailable/);
    simulator.clearFaults();
    expect(await simulator.refusal("ListShards", input)).toBe("no refusal");
  });

  test("only for the actions, streams and shards that it names", async () => {
    const { simulator } = withStream();
    simulator.createStream({ streamName: "other" });
    simulator.fault({ kind: "service-unavailable", action: ["ListShards", "PutRecord"], streamName });
    simulator.fault({ kind: "internal-failure", action: "GetShardIterator", shardId: first });
    expect(await simulator.refusal("ListShards", { StreamName: streamName })).toMatch(/^ServiceUnavailable/);
    expect(await simulator.refusal("ListShards", { StreamName: "other" })).toBe("no refusal");
    expect(await simulator.refusal("DescribeStream", { StreamName: streamName })).toBe("no refusal");
    const iterator = { StreamName: streamName, ShardIteratorType: "LATEST" };
    expect(await simulator.refusal("GetShardIterator", { ...iterator, ShardId: first })).toMatch(/^InternalFailure/);
    const second = { ...iterator, ShardId: "shardId-000000000001" };
    expect(await simulator.refusal("GetShardIterator", second)).toBe("no refusal");
  });
});

describe("what a fault does", () => {
  test("throttle and partial-failure strike entries of PutRecords, the others go in", async () => {
    const { simulator } = withStream();
    simulator.fault({ kind: "throttle", shardId: first, count: 2 });
    simulator.fault({ kind: "partial-failure", shardId: "shardId-000000000001", script: ".x" });
    const output = await simulator.call("PutRecords", { StreamName: streamName, Records: entries(6) });
    const throttled = "ProvisionedThroughputExceededException";
    expect(recordsOf(output).map((entry) => entry["ErrorCode"])).toEqual([
      throttled,
      undefined,
      throttled,
      "InternalFailure",
      undefined,
      undefined,
    ]);
    expect(output["FailedRecordCount"]).toBe(3);
    expect(simulator.meter.counts().recordsIn).toBe(3);
  });

  test("throttle refuses other calls as the service does", async () => {
    const { simulator } = withStream();
    simulator.fault({ kind: "throttle" });
    const put = { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(1) };
    expect(await simulator.refusal("PutRecord", put)).toMatch(/^ProvisionedThroughputExceededException/);
    expect(await simulator.refusal("ListShards", { StreamName: streamName })).toMatch(/^LimitExceededException/);
  });

  test("answer-lost stores, reset does not", async () => {
    const { simulator } = withStream();
    const put = { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(1) };
    simulator.fault({ kind: "answer-lost", count: 1 });
    expect(await wireFault(simulator.call("PutRecord", put))).toMatchObject({ kind: "reset", tookEffect: true });
    expect(simulator.meter.counts().recordsIn).toBe(1);
    simulator.fault({ kind: "reset", count: 1 });
    expect(await wireFault(simulator.call("PutRecord", put))).toMatchObject({ kind: "reset", tookEffect: false });
    expect(simulator.meter.counts().recordsIn).toBe(1);
  });

  test("in process they are failures that may have taken effect", async () => {
    const { simulator } = withStream();
    const records = [{ data: new Uint8Array(1), partitionKey: "k" }];
    for (const [kind, code] of [
      ["answer-lost", "ECONNRESET"],
      ["non-json-body", "UnparsableAnswer"],
      ["service-unavailable", "ServiceUnavailable"],
    ] as const) {
      simulator.fault({ kind, count: 1 });
      const answer = await simulator.kinesis.putRecords({ streamName, records });
      expect(answer).toMatchObject({ ok: false, error: { code, kind: "transient", mayHaveTakenEffect: true } });
    }
  });

  test("non-json-body carries what was ordered", async () => {
    const { simulator } = withStream();
    simulator.fault({ kind: "non-json-body", statusCode: 504, body: "Gateway Time-out" });
    const fault = await wireFault(simulator.call("ListShards", { StreamName: streamName }));
    expect(fault).toMatchObject({ kind: "raw-body", statusCode: 504, body: "Gateway Time-out" });
  });

  test("slow waits in the service's time", async () => {
    const { simulator } = withStream();
    simulator.fault({ kind: "slow", delayMs: 5000 });
    let answered = false;
    const call = (async () => {
      await simulator.call("ListShards", { StreamName: streamName });
      answered = true;
    })();
    await Promise.resolve();
    simulator.clock.advance(4999);
    await Promise.resolve();
    expect(answered).toBe(false);
    simulator.clock.advance(1);
    await call;
    expect(answered).toBe(true);
  });

  test("slow calls go on when the simulator closes, and end with their caller's patience", async () => {
    const { simulator } = withStream();
    simulator.fault({ kind: "slow", delayMs: 5000 });
    const abort = new AbortController();
    const given = simulator.kinesis.listShards({ streamName }, { signal: abort.signal });
    const closed = simulator.kinesis.listShards({ streamName });
    abort.abort();
    expect(await given).toMatchObject({ ok: false, error: { kind: "aborted" } });
    await simulator.close();
    expect(await closed).toMatchObject({ ok: true });
  });

  test("hang ends with its caller's patience, and when the simulator closes", async () => {
    const { simulator } = withStream();
    simulator.fault({ kind: "hang" });
    const abort = new AbortController();
    const given = simulator.kinesis.listShards({ streamName }, { signal: abort.signal });
    const closed = simulator.kinesis.listShards({ streamName });
    abort.abort();
    expect(await given).toMatchObject({ ok: false, error: { kind: "aborted" } });
    await simulator.close();
    expect(await closed).toMatchObject({ ok: false, error: { kind: "transient" } });
  });

  test("empty-answer and expired-iterator move nothing", async () => {
    const { simulator } = withStream(1);
    await simulator.put(streamName);
    const ShardIterator = await simulator.iterator(streamName);
    simulator.fault({ kind: "empty-answer", count: 1 });
    const empty = await simulator.call("GetRecords", { ShardIterator });
    expect(recordsOf(empty)).toEqual([]);
    simulator.fault({ kind: "expired-iterator", count: 1 });
    const next = { ShardIterator: empty["NextShardIterator"] };
    expect(await simulator.refusal("GetRecords", next)).toMatch(/^ExpiredIteratorException/);
    expect(recordsOf(await simulator.call("GetRecords", next))).toHaveLength(1);
  });

  test("clock-jump moves the wall clock before the call", async () => {
    const { simulator } = withStream();
    const before = simulator.clock.now().getTime();
    simulator.fault({ kind: "clock-jump", jumpMs: -90_000, count: 1 });
    await simulator.call("ListShards", { StreamName: streamName });
    expect(simulator.clock.now().getTime() - before).toBe(-90_000);
  });

  test("reshard changes the shards at any moment, and they cover the ring", async () => {
    const { simulator } = withStream(4);
    simulator.fault({ kind: "reshard", action: "PutRecord", count: 20 });
    for (let call = 0; call < 20; call++) await simulator.put(streamName);
    const { Shards } = await simulator.call("ListShards", {
      StreamName: streamName,
      ShardFilter: { Type: "AT_LATEST" },
    });
    const ranges = (Shards as { HashKeyRange: { StartingHashKey: string; EndingHashKey: string } }[])
      .map(({ HashKeyRange: range }) => [BigInt(range.StartingHashKey), BigInt(range.EndingHashKey)] as const)
      .toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
    let next = 0n;
    for (const [start, end] of ranges) {
      expect(start).toBe(next);
      next = end + 1n;
    }
    expect(next).toBe(2n ** 128n);
  });

  test("auto-split splits the fullest shard of an on-demand stream", async () => {
    const { simulator } = withStream(4, "ON_DEMAND");
    await simulator.put(streamName, 1000, "a"); // MD5 0c: the first shard
    simulator.fault({ kind: "auto-split", count: 1 });
    await simulator.put(streamName);
    const { Shards } = await simulator.call("ListShards", { StreamName: streamName });
    const children = (Shards as { ParentShardId?: string }[]).filter((shard) => shard.ParentShardId === first);
    expect(children).toHaveLength(2);
  });

  test("takeover and truncated-event-stream end a subscription after as many events as ordered", async () => {
    for (const kind of ["takeover", "truncated-event-stream"] as const) {
      const { simulator, streamArn } = withStream(1);
      const consumerArn = await simulator.consumer(streamArn);
      simulator.fault({ kind, events: 2 });
      const events = await simulator.subscribe(consumerArn);
      for (let count = 0; count < 2; count++) {
        await simulator.put(streamName);
        const { value } = (await events.next()) as { value: SubscriptionFrame };
        expect(recordsOf(value.SubscribeToShardEvent)).toHaveLength(1);
      }
      const end = await events.next().then(
        ({ value }) => value?.exception?.code,
        (error: WireFault) => error.kind,
      );
      expect(end).toBe(kind === "takeover" ? "ResourceInUseException" : "truncate");
      expect((await events.next()).done).toBe(true);
    }
  });

  test("every kind can be ordered", () => {
    const { simulator } = withStream();
    for (const kind of faultKinds) expect(simulator.fault({ kind }).isOver).toBe(false);
  });
});

describe("an order that cannot be", () => {
  test.each([
    [{ kind: "throtle" }, /fault\.kind: expected the kind of a fault, got "throtle"\. Did you mean throttle\?/],
    [{ kind: "throttle", rate: 2 }, /fault\.rate: expected a share from 0 to 1, got 2/],
    [{ kind: "throttle", script: "yes" }, /fault\.script/],
    [{ kind: "throttle", count: 0 }, /fault\.count/],
    [{ kind: "takeover", action: "PutRecord" }, /fault\.action: expected one of SubscribeToShard, got "PutRecord"/],
    [{ kind: "throttle", sharId: "x" }, /Did you mean shardId\?/],
  ])("%j", (options, message) => {
    expect(() => withStream().simulator.fault(options as FaultOptions)).toThrow(message);
  });
});

describe("a fault on a command line", () => {
  test("is a kind, a rate and names with values", () => {
    expect(parseFault("throttle=0.05")).toEqual({ kind: "throttle", rate: 0.05 });
    expect(parseFault("slow,delayMs=300,action=PutRecords+PutRecord,count=3")).toEqual({
      kind: "slow",
      delayMs: 300,
      action: ["PutRecords", "PutRecord"],
      count: 3,
    });
    expect(() => parseFault("throttle=much")).toThrow(/fault\.rate: expected a number, got "much"/);
    expect(() => parseFault("throttle,count")).toThrow(/expected NAME=VALUE/);
    expect(() => parseFault("")).toThrow(/fault\.kind/);
  });
});
