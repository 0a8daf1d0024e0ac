import { KinesisError, type Answer } from "@millrace/core/kinesis";
import { KinesisSimulator, Timeline } from "@millrace/simulator";
import { expect, test } from "vitest";
import { sentinel } from "./checkpoint/checkpoint.ts";
import { Consumer } from "./consumer.ts";
import { ConsumerError } from "./errors.ts";
import type { ConsumerEvent } from "./events.ts";
import { MemoryLeaseTable } from "./io/memory-lease-table.ts";
import { newLeaseRow, parseLease } from "./leases/lease.ts";
import type { LeaseTable, TableFailure } from "./leases/lease-table.ts";
import type { ConsumerOptions } from "./options.ts";
import type { FanOutPort } from "./retrieval/fan-out-port.ts";

const calls = ["open", "get", "put", "update", "scan", "keysOwnedBy"] as const;
type CallName = (typeof calls)[number];

/** A table whose calls answer with what `fault` gives, where it gives something. */
function tableWith(fault: (call: CallName) => Promise<TableFailure> | undefined): LeaseTable {
  return new Proxy(new MemoryLeaseTable(), {
    get(table, name: keyof MemoryLeaseTable) {
      const value: unknown = table[name];
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => fault(name as CallName) ?? (value.apply(table, args) as unknown);
    },
  });
}

function failure(reason: TableFailure["reason"]): Promise<TableFailure> {
  return Promise.resolve({ ok: false, reason, error: new Error(`told to be ${reason}`) });
}

function kinesisFailure(kind: "transient" | "permanent" | "throttle", code: string): Answer<never> {
  return { ok: false, error: new KinesisError({ code, message: code, kind, mayHaveTakenEffect: false }) };
}

/** One worker that starts on a timeline, with four records to read. */
async function starting(
  options: Partial<ConsumerOptions>,
  wiring: { fanOut?: FanOutPort; describeFailures?: Answer<never>[]; getRecords?: () => Answer<never> } = {},
) {
  const timeline = new Timeline({ seed: 3 });
  const simulator = new KinesisSimulator({ system: timeline.host("service").system });
  simulator.createStream({ streamName: "clicks", shardCount: 1 });
  const records = ["a", "b", "c", "d"].map((text) => ({ data: Buffer.from(text), partitionKey: text }));
  const put = await simulator.kinesis.putRecords({ streamName: "clicks", records });
  if (!put.ok) throw put.error;
  const events: ConsumerEvent[] = [];
  const seen: string[] = [];
  const ended: { error?: unknown; isOver: boolean } = { isOver: false };
  const { describeFailures = [], fanOut } = wiring;
  const { kinesis } = simulator;
  const port = new Proxy(kinesis, {
    get(target, name: keyof typeof kinesis) {
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const described = name === "describeStreamSummary" ? describeFailures.shift() : undefined;
        const fails = name === "getRecords" ? wiring.getRecords?.() : described;
        return fails === undefined
          ? (value as (...a: unknown[]) => unknown).apply(target, args)
          : Promise.resolve(fails);
      };
    },
  });
  const stream = options.streams === undefined ? { streamName: "clicks" } : {};
  const consumer = new Consumer(
    { ...stream, applicationName: "app", workerId: "w", onEvent: (event) => events.push(event), ...options },
    { kinesis: port, fanOut, system: timeline.host("w").system },
  );
  consumer
    .run(async (shard) => {
      for await (const batch of shard) {
        for (const record of batch.records) seen.push(record.text());
        await batch.checkpoint();
      }
    })
    .catch((error: unknown) => {
      ended.error = error;
    })
    .finally(() => {
      ended.isOver = true;
    });
  return { timeline, simulator, consumer, events, seen, ended };
}

test("starts although each call to its table fails at first, tells it, and reads everything", async () => {
  // Open, the reads of the version and leader rows, the version's write: each is answered with a throttle, then not at
  // all, then well.
  const strikes = new Map<CallName, number>();
  const leaseTable = tableWith((call) => {
    const count = (strikes.get(call) ?? 0) + 1;
    strikes.set(call, count);
    if (count <= 2) return failure(count === 1 ? "throttled" : "unknown");
    return undefined;
  });
  const { timeline, consumer, events, seen, ended } = await starting({ leaseTable });
  await timeline.run({ until: () => seen.length === 4, forMs: 120_000 });
  expect(ended).toEqual({ isOver: false });
  expect(seen.toSorted()).toEqual(["a", "b", "c", "d"]);
  const failed = events.flatMap((event) => (event.type === "lease-table-failed" ? event.operation : []));
  expect(failed.slice(0, 2)).toEqual(["open", "open"]);
  expect(new Set(failed)).toContain("write version");
  await timeline.settle(consumer.close());
});

test("starts although its streams cannot be described at first", async () => {
  const describeFailures = [
    kinesisFailure("throttle", "LimitExceededException"),
    kinesisFailure("transient", "ECONNREFUSED"),
    kinesisFailure("transient", "InternalFailure"),
  ];
  const options = { leaseTable: new MemoryLeaseTable(), streams: [{ streamName: "clicks" }] };
  const { timeline, consumer, events, seen, ended } = await starting(options, { describeFailures });
  await timeline.run({ until: () => seen.length === 4, forMs: 120_000 });
  expect(ended).toEqual({ isOver: false });
  const codes = events.flatMap((event) => (event.type === "stream-call-failed" ? event.code : []));
  expect(codes).toEqual(["LimitExceededException", "ECONNREFUSED", "InternalFailure"]);
  await timeline.settle(consumer.close());
});

test("waits for a registration that cannot be asked about for minutes, but not for one that is denied", async () => {
  let answer = kinesisFailure("transient", "TimeoutError");
  let asked = 0;
  const fanOut: FanOutPort = {
    describeStreamConsumer: () => {
      asked++;
      return Promise.resolve(answer);
    },
    registerStreamConsumer: () => Promise.resolve(answer),
    subscribeToShard: () => Promise.resolve(answer),
  };
  const { timeline, ended } = await starting({ leaseTable: new MemoryLeaseTable(), retrieval: "fan-out" }, { fanOut });
  await timeline.run({ forMs: 300_000 });
  expect(ended).toEqual({ isOver: false });
  // With backoff, not in a spin.
  expect(asked).toBeLessThan(150);
  answer = kinesisFailure("permanent", "AccessDeniedException");
  await timeline.run({ until: () => ended.isOver, forMs: 60_000 });
  expect(ended.error).toBeInstanceOf(ConsumerError);
});

test.each(calls.filter((call) => call === "open" || call === "get" || call === "put"))(
  "rejects at once when %s is refused",
  async (refused) => {
    const leaseTable = tableWith((call) => (call === refused ? failure("refused") : undefined));
    const { timeline, ended } = await starting({ leaseTable });
    await timeline.run({ until: () => ended.isOver, forMs: 1_000 });
    expect(ended.error).toBeInstanceOf(ConsumerError);
  },
);

test.each(calls)("close ends a start that waits for %s: one that hangs, and one between two tries", async (stuck) => {
  for (const answer of [() => new Promise<never>(() => undefined), () => failure("unknown")]) {
    const leaseTable = tableWith((call) => (call === stuck ? answer() : undefined));
    const { timeline, consumer, ended } = await starting({ leaseTable });
    await timeline.run({ forMs: 5_000 });
    expect(ended.isOver).toBe(false);
    void consumer.close();
    // Opening and joining end at once; a worker that has joined takes back what it can within its calls' limits.
    const limitMs = ["open", "get", "put"].includes(stuck) ? 1 : 120_000;
    await timeline.run({ until: () => ended.isOver, forMs: limitMs });
    expect(ended).toEqual({ isOver: true });
  }
});

test("does not spin where every iterator is called expired, and says so", async () => {
  let reads = 0;
  const getRecords = (): Answer<never> => {
    reads++;
    return kinesisFailure("permanent", "ExpiredIteratorException");
  };
  const { timeline, consumer, events } = await starting({ leaseTable: new MemoryLeaseTable() }, { getRecords });
  await timeline.run({ forMs: 60_000 });
  // Five calls a second is what the shard allows to all applications together.
  expect(reads).toBeGreaterThan(1);
  expect(reads).toBeLessThan(5 * 60);
  expect(events.some((event) => event.type === "read-failed")).toBe(true);
  await timeline.settle(consumer.close());
});

test("[C1] a lease at LATEST starts at the service's time although the service cannot be asked at first", async () => {
  // KCL made the lease; this host's clock is a minute ahead; the first question for the time fails. A time ahead would let
  // the next owner skip what came between.
  const leaseTable = new MemoryLeaseTable();
  const row = newLeaseRow({
    leaseKey: "shardId-000000000000",
    shardId: "shardId-000000000000",
    streamIdentifier: undefined,
    checkpoint: sentinel("LATEST"),
    parentShardIds: [],
    hashRange: undefined,
    leaseOwner: undefined,
  });
  await leaseTable.put(row, []);
  const describeFailures = [kinesisFailure("transient", "TimeoutError")];
  const options = { leaseTable, initialPosition: "LATEST", takeOverFrom2x: true } as const;
  const { timeline, consumer, events } = await starting(options, { describeFailures });
  timeline.host("w").jumpClock(60_000);
  const since = (): number | undefined => {
    const stored = leaseTable.rows.get("shardId-000000000000");
    return stored === undefined ? undefined : parseLease(stored)?.latestSinceMs;
  };
  await timeline.run({ forMs: 30_000 });
  // The first checkpoint clears the time.
  expect(since() ?? 0).toBeLessThanOrEqual(timeline.startWallMs + timeline.nowMs);
  expect(events.some((event) => event.type === "stream-call-failed")).toBe(true);
  await timeline.settle(consumer.close());
});
