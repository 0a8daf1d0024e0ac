import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { KinesisStreamBatchResponse, KinesisStreamEvent, KinesisStreamStateResponse } from "aws-lambda";
import { Aggregator } from "./aggregate.ts";
import { DeaggregationError } from "./errors.ts";
import { kinesisHandler, kinesisWindowHandler } from "./lambda.ts";
import type { KinesisHandlerOptions, WindowOptions } from "./lambda.ts";
import type { UserRecordView } from "./record.ts";
import { context, kinesisEvent, sequenceNumberOf, windowEvent } from "./testing-support/lambda-events.ts";

beforeEach(() => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function aggregateOf(...data: string[]): Uint8Array {
  const aggregator = new Aggregator();
  for (const one of data) aggregator.add({ partitionKey: "key", data: one });
  return aggregator.build().data;
}

const textOf = ({ data }: UserRecordView) => Buffer.from(data).toString();
const ignore = () => undefined;
const refuse = () => {
  throw new Error("cannot store");
};

/** Runs a handler that fails at the record "bad"; answers with what it saw and what Lambda is told. */
async function invoke(event: KinesisStreamEvent, options: KinesisHandlerOptions = { onError: ignore }) {
  const seen: string[] = [];
  const handler = kinesisHandler(async (record) => {
    const text = textOf(record);
    seen.push(text);
    if (text === "bad") throw new Error("the handler refuses this one");
  }, options);
  const response = (await handler(event, context, ignore)) as KinesisStreamBatchResponse;
  return { seen, response };
}

const failureOf = (place: number) => ({ batchItemFailures: [{ itemIdentifier: sequenceNumberOf(place) }] });
const success = { batchItemFailures: [] };

describe("kinesisHandler", () => {
  it("calls the handler for each user record in order, aggregates unpacked, and reports success", async () => {
    const event = kinesisEvent("one", aggregateOf("two", "three"), "four");
    expect(await invoke(event)).toEqual({ seen: ["one", "two", "three", "four"], response: success });
    expect(await invoke({ Records: [] })).toEqual({ seen: [], response: success });
  });

  it("waits for each record before the next, and passes the view and the context", async () => {
    const steps: unknown[] = [];
    const handler = kinesisHandler(async (record, given) => {
      steps.push([record.sequenceNumber, record.subSequenceNumber, record.partitionKey, record.aggregated]);
      await Promise.resolve();
      steps.push(given.functionName);
    });
    await handler(kinesisEvent("one", aggregateOf("two", "three")), context, ignore);
    expect(steps).toEqual([
      [sequenceNumberOf(1), 0, "1", false],
      "reader",
      [sequenceNumberOf(2), 0, "key", true],
      "reader",
      [sequenceNumberOf(2), 1, "key", true],
      "reader",
    ]);
  });

  // Lambda retries from the sequence number it is told: nothing behind a failure may have been handled before it.
  it("stops at the first failure and reports its Kinesis record, whole", async () => {
    const event = kinesisEvent("one", aggregateOf("two", "bad", "three"), "bad", "four");
    expect(await invoke(event)).toEqual({ seen: ["one", "two", "bad"], response: failureOf(2) });
  });

  it("throws the handler's error on request, so that Lambda retries the whole batch", async () => {
    await expect(invoke(kinesisEvent("one", "bad"), { onFailure: "throw" })).rejects.toThrow("refuses this one");
  });

  it("tells onError what was thrown and where, since Lambda sees a sequence number alone", async () => {
    const errors: unknown[] = [];
    const onError: KinesisHandlerOptions["onError"] = (error, record) => {
      errors.push([(error as Error).message, record?.sequenceNumber, record?.subSequenceNumber]);
    };
    await invoke(kinesisEvent(aggregateOf("one", "bad")), { onError });
    expect(errors).toEqual([["the handler refuses this one", sequenceNumberOf(1), 1]]);
  });

  it("prints the error by default, without data, and warns once that ReportBatchItemFailures must be on", async () => {
    const printed = vi.spyOn(console, "error").mockImplementation(ignore);
    const warned = vi.spyOn(process, "emitWarning");
    vi.resetModules();
    const fresh = await import("./lambda.ts");
    const handler = fresh.kinesisHandler(async () => {
      throw new Error("refused");
    });
    await handler(kinesisEvent("secret"), context, ignore);
    await handler(kinesisEvent("secret"), context, ignore);
    const [[text, error] = []] = printed.mock.calls;
    expect(text).toBe(
      `Kinesis record ${sequenceNumberOf(1)}, sub-sequence number 0, failed and is reported to Lambda for a retry:`,
    );
    expect(error).toEqual(new Error("refused"));
    expect(warned.mock.calls).toEqual([
      [expect.stringContaining("ReportBatchItemFailures"), expect.objectContaining({ type: "MillraceWarning" })],
    ]);
  });

  it("reports an aggregate that it was told to fail on", async () => {
    const broken = Buffer.from(aggregateOf("two", "three"));
    broken[10] = 0xff;
    const event = kinesisEvent("one", broken, "four");
    const errors: unknown[] = [];
    const options = { onBadDigest: "fail", onError: (error: unknown) => errors.push(error) } as const;
    expect(await invoke(event, options)).toEqual({ seen: ["one"], response: failureOf(2) });
    expect(errors).toEqual([expect.any(DeaggregationError)]);
    const delivered = await invoke(event);
    expect(delivered.seen).toEqual(["one", broken.toString(), "four"]);
  });

  it("passes the state of a tumbling window through, without which Lambda takes the invocation for failed", async () => {
    const event = windowEvent(kinesisEvent("one"), { state: { count: 7 } });
    expect((await invoke(event)).response).toEqual({ ...success, state: { count: 7 } });
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "event.Records: expected the records of a Kinesis event, got undefined"],
    ["an event of another kind", { detail: {} }, "event.Records: expected"],
    ["records of another service", { Records: [{ body: "" }] }, "event.Records[0].kinesis: expected a Kinesis record"],
    ["a record without data", { Records: [{ kinesis: { sequenceNumber: "1" } }] }, "event.Records[0].kinesis"],
  ])("fails on %s by name, before any record", async (_, event, text) => {
    await expect(invoke(event as KinesisStreamEvent)).rejects.toThrow(text);
  });

  it.each<[string, unknown, unknown, string]>([
    ["no handler", undefined, {}, "handler: expected a function, got undefined"],
    ["an unknown outcome", ignore, { onFailure: "retry" }, 'onFailure: expected "report" or "throw", got "retry"'],
    ["an onError that is no function", ignore, { onError: 1 }, "onError: expected a function, got 1"],
    ["a bad option of deaggregate", ignore, { onBadDigest: "drop" }, "onBadDigest: expected"],
  ])("refuses %s when it is made", (_, handler, options, text) => {
    expect(() => kinesisHandler(handler as () => Promise<void>, options as KinesisHandlerOptions)).toThrow(text);
  });
});

/** Counts records, fails at "bad", and remembers what windows ended with. */
function counter(overrides: Partial<WindowOptions<{ count: number }>> = {}) {
  const ended: unknown[] = [];
  const handler = kinesisWindowHandler<{ count: number }>({
    initialState: () => ({ count: 0 }),
    add: async (state, record) => {
      if (textOf(record) === "bad") throw new Error("refused");
      return { count: state.count + 1 };
    },
    finish: (state, window) => {
      ended.push([state, window.start.toISOString(), window.end.toISOString(), window.isTerminatedEarly]);
    },
    onError: ignore,
    ...overrides,
  });
  const run = async (event: Parameters<typeof handler>[0]) =>
    (await handler(event, context, ignore)) as KinesisStreamStateResponse;
  return { run, ended };
}

describe("kinesisWindowHandler", () => {
  it("carries the state of a window through its invocations and hands the last to finish", async () => {
    const { run, ended } = counter();
    const first = await run(windowEvent(kinesisEvent("one", aggregateOf("two", "three"))));
    expect(first).toEqual({ ...success, state: { count: 3 } });
    const second = await run(windowEvent(kinesisEvent("four"), { state: first.state }));
    expect(ended).toEqual([]);
    await run(windowEvent({ Records: [] }, { state: second.state, isFinal: true, isEarly: true }));
    expect(ended).toEqual([[{ count: 4 }, "2020-12-09T07:04:00.000Z", "2020-12-09T07:06:00.000Z", true]]);
  });

  // Invocation 1 counts "one" and "two", fails at "bad", and reports record 2. Lambda repeats record 2 whole: had the
  // state kept the count of "two", invocation 2 would count it again.
  it("goes back to the state before the Kinesis record that failed", async () => {
    const { run } = counter();
    const failed = await run(windowEvent(kinesisEvent("one", aggregateOf("two", "bad"), "three")));
    expect(failed).toEqual({ ...failureOf(2), state: { count: 1 } });
  });

  it("keeps what is done before an aggregate that cannot be opened", async () => {
    const broken = Buffer.from(aggregateOf("two", "three"));
    broken[10] = 0xff;
    const { run } = counter({ onBadDigest: "fail" });
    const failed = await run(windowEvent(kinesisEvent("one", broken)));
    expect(failed).toEqual({ ...failureOf(2), state: { count: 1 } });
  });

  it("does not finish a window whose last records failed", async () => {
    const { run, ended } = counter();
    const failed = await run(windowEvent(kinesisEvent("bad"), { isFinal: true }));
    expect(failed).toEqual({ ...failureOf(1), state: { count: 0 } });
    expect(ended).toEqual([]);
  });

  it("fails the invocation when finish throws, so that Lambda calls it again", async () => {
    await expect(counter({ finish: refuse }).run(windowEvent({ Records: [] }, { isFinal: true }))).rejects.toThrow(
      "cannot store",
    );
  });

  it("refuses a mapping without a window, and what is no function", async () => {
    const event = kinesisEvent("one") as ReturnType<typeof windowEvent>;
    await expect(counter().run(event)).rejects.toThrow("event.window: expected a tumbling window");
    const options = { initialState: ignore, add: ignore } as unknown as WindowOptions<Record<string, unknown>>;
    expect(() => kinesisWindowHandler(options)).toThrow("finish: expected a function, got undefined");
  });
});
