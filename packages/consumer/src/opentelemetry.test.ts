import { Aggregator } from "@millrace/aggregation";
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sentinel } from "./checkpoint/checkpoint.ts";
import { linksOf, traceContextOf, traceEach } from "./opentelemetry.ts";
import type { ConsumedRecord } from "./record.ts";
import { expandRecords } from "./retrieval/expand.ts";

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const contextManager = new AsyncLocalStorageContextManager().enable();
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

beforeEach(() => {
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(contextManager);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

afterEach(() => {
  exporter.reset();
  trace.disable();
  context.disable();
  propagation.disable();
});

/** The last of `subSequenceNumber + 1` records of one aggregate. */
function recordOf(tags: Record<string, string> | undefined, subSequenceNumber = 3): ConsumedRecord {
  const aggregator = new Aggregator();
  for (let index = 0; index <= subSequenceNumber; index++) aggregator.add({ partitionKey: "k", data: "x", tags });
  const source = { data: aggregator.build().data, sequenceNumber: "49" };
  const [slice] = expandRecords([source], sentinel("TRIM_HORIZON"), 10_000);
  const record = slice?.records.at(-1);
  if (record === undefined) throw new Error("no record");
  return record;
}

const tagsOf = (spanId: number) => ({ traceparent: `00-${traceId}-${String(spanId).padStart(16, "0")}-01` });
const recordContext = {
  shardId: "shardId-000000000000",
  streamName: "clicks",
  attempt: 2,
  signal: new AbortController().signal,
  fencingToken: 1n,
};

describe("traceEach", () => {
  test("continues the trace of the put, with its span active in the handler", async () => {
    const active: (string | undefined)[] = [];
    const handler = traceEach(async () => {
      await Promise.resolve();
      active.push(trace.getActiveSpan()?.spanContext().spanId);
    });
    await handler(recordOf(tagsOf(7)), recordContext);
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({ name: "process clicks", kind: SpanKind.CONSUMER, links: [] });
    expect(span?.spanContext().traceId).toBe(traceId);
    expect(span?.parentSpanContext?.spanId).toBe("0000000000000007");
    expect(span?.attributes).toMatchObject({ "messaging.message.id": "49/3", "millrace.attempt": 2 });
    expect(active).toEqual([span?.spanContext().spanId]);
  });

  test("links to the put instead when told so", async () => {
    await traceEach(() => Promise.resolve(), { relation: "link" })(recordOf(tagsOf(7)), recordContext);
    const [span] = exporter.getFinishedSpans();
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.spanContext().traceId).not.toBe(traceId);
    expect(span?.links.map((link) => link.context.spanId)).toEqual(["0000000000000007"]);
  });

  test("begins a trace where the record has no context, and passes the handler's failure on", async () => {
    const failing = traceEach(() => Promise.reject(new Error("not now")));
    await expect(failing(recordOf(undefined), recordContext)).rejects.toThrow("not now");
    await expect(failing(recordOf({ traceparent: "junk" }), recordContext)).rejects.toThrow("not now");
    const spans = exporter.getFinishedSpans();
    expect(spans.map((span) => span.parentSpanContext)).toEqual([undefined, undefined]);
    expect(spans.every((span) => span.status.code === SpanStatusCode.ERROR)).toBe(true);
  });
});

test("linksOf links to each put once, and to no more than an SDK keeps", () => {
  const records = Array.from({ length: 300 }, (_, index) => recordOf(tagsOf(1 + (index >> 1))));
  expect(linksOf([recordOf(undefined), recordOf({ other: "x" }), ...records.slice(0, 4)])).toMatchObject([
    { context: { traceId, spanId: "0000000000000001" } },
    { context: { traceId, spanId: "0000000000000002" } },
  ]);
  expect(linksOf(records)).toHaveLength(128);
});

test("traceContextOf is the root context where there is none", () => {
  expect(trace.getSpanContext(traceContextOf(recordOf(undefined)))).toBeUndefined();
  const propagator = {
    extract: () => trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: "1".repeat(16), traceFlags: 1 }),
  };
  expect(trace.getSpanContext(traceContextOf(recordOf(undefined), { propagator }))?.traceId).toBe(traceId);
});
