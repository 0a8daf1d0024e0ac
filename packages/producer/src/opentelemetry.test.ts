import { tracingChannel } from "node:diagnostics_channel";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { traceProducers } from "./opentelemetry.ts";
import { refusal, streamName, World } from "./testing-support/world.ts";
import type { PutTrace } from "./tracing.ts";

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const tracer = provider.getTracer("test");
const contextManager = new AsyncLocalStorageContextManager().enable();
let stop = () => {};

beforeEach(() => {
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(contextManager);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

afterEach(() => {
  stop();
  exporter.reset();
  trace.disable();
  context.disable();
  propagation.disable();
});

const spansNamed = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);

describe("traceProducers", () => {
  test("makes a span for each put, a child of the caller's, whose context travels in the record's tags", async () => {
    stop = traceProducers();
    const world = new World();
    const producer = world.producer();
    const result = await tracer.startActiveSpan("caller", async (caller) => {
      const put = producer.put({ partitionKey: "k", data: "x", tags: { own: "1" } });
      caller.end();
      return world.until(put);
    });
    const [caller] = spansNamed("caller");
    const [put] = spansNamed(`send ${streamName}`);
    expect(put?.kind).toBe(SpanKind.PRODUCER);
    expect(put?.parentSpanContext?.spanId).toBe(caller?.spanContext().spanId);
    expect(put?.status.code).toBe(SpanStatusCode.UNSET);
    expect(put?.attributes).toMatchObject({
      "messaging.destination.name": streamName,
      "messaging.destination.partition.id": result.shardId,
      "messaging.message.id": result.sequenceNumber,
      "millrace.attempts": 1,
    });
    const spanContext = put?.spanContext();
    const [read] = await world.readBack();
    expect(read?.view.tags).toEqual({ own: "1", traceparent: `00-${spanContext?.traceId}-${spanContext?.spanId}-01` });
  });

  test("makes a span for each request, with links to the puts in it", async () => {
    stop = traceProducers();
    const world = new World();
    const producer = world.producer();
    const input = Array.from({ length: 200 }, (_, index) => ({ partitionKey: `k${index}`, data: "x" }));
    await world.until(producer.putAll(input));
    const puts = spansNamed(`send ${streamName}`);
    const requests = spansNamed(`PutRecords ${streamName}`);
    expect(puts).toHaveLength(200);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      kind: SpanKind.CLIENT,
      attributes: { "rpc.method": "PutRecords", "messaging.batch.message_count": 200, "millrace.kinesis_records": 1 },
    });
    expect(requests[0]?.parentSpanContext).toBeUndefined();
    expect(requests[0]?.links.map((link) => link.context.spanId)).toEqual(
      puts.slice(0, 128).map((put) => put.spanContext().spanId),
    );
  });

  test("marks what failed, with the service's code", async () => {
    stop = traceProducers();
    const world = new World();
    world.port.on("putRecords", () => Promise.resolve(refusal("KMSDisabledException", "permanent")));
    const producer = world.producer();
    await expect(world.until(producer.put({ partitionKey: "k", data: "x" }))).rejects.toThrow("KMSDisabledException");
    await expect(producer.put({ partitionKey: "", data: "x" })).rejects.toThrow("partitionKey");
    await expect(producer.put(undefined as never)).rejects.toThrow("record: expected");
    await expect(producer.put(null as never)).rejects.toThrow("record: expected");
    await expect(producer.put({ partitionKey: "k", data: "x", tags: "t" } as never)).rejects.toThrow("tags: expected");
    expect(producer.offer({ partitionKey: "", data: "x" })).toBe(true);
    const puts = spansNamed(`send ${streamName}`);
    expect(puts.map((put) => put.attributes["error.type"])).toEqual([
      "KMSDisabledException",
      "ERR_RECORD",
      "ERR_RECORD",
      "ERR_RECORD",
      "ERR_RECORD",
      "ERR_RECORD",
    ]);
    expect(puts.every((put) => put.status.code === SpanStatusCode.ERROR)).toBe(true);
    const [request] = spansNamed(`PutRecords ${streamName}`);
    expect(request?.attributes["error.type"]).toBe("KMSDisabledException");
    expect(request?.status.code).toBe(SpanStatusCode.ERROR);
  });

  test("takes records whose fields are getters", async () => {
    stop = traceProducers();
    const world = new World();
    const record = new (class {
      get partitionKey() {
        return "k";
      }
      get data() {
        return "x";
      }
    })();
    await world.until(world.producer().put(record));
    expect((await world.readBack()).map(({ text, view }) => [text, view.partitionKey])).toEqual([["x", "k"]]);
  });

  test("lets the caller's own trace context win, and writes none when told so", async () => {
    stop = traceProducers();
    const world = new World();
    const producer = world.producer({ aggregation: false });
    await world.until(producer.put({ partitionKey: "k", data: "x", tags: { traceparent: "mine" } }));
    stop();
    stop = traceProducers({ inject: false });
    await world.until(producer.put({ partitionKey: "k", data: "y" }));
    const read = await world.readBack();
    expect(read.map(({ view }) => view.tags)).toEqual([{ traceparent: "mine" }, undefined]);
    expect(read.map(({ view }) => view.aggregated)).toEqual([true, false]);
  });

  test("writes no tags where no SDK is set up, and traces nothing once stopped", async () => {
    trace.disable();
    stop = traceProducers();
    const world = new World();
    const producer = world.producer();
    await world.until(producer.put({ partitionKey: "k", data: "x" }));
    stop();
    trace.setGlobalTracerProvider(provider);
    await world.until(producer.put({ partitionKey: "k", data: "y" }));
    expect((await world.readBack()).map(({ view }) => view.tags)).toEqual([undefined, undefined]);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test("ends the span of a put that was under way when it was stopped", async () => {
    stop = traceProducers();
    const world = new World();
    const put = world.producer().put({ partitionKey: "k", data: "x" });
    stop();
    await world.until(put);
    expect(spansNamed(`send ${streamName}`)).toHaveLength(1);
  });
});

describe("the tracing channel of puts", () => {
  test("publishes the phases of a stored and of a withdrawn put in order", async () => {
    const phases: string[] = [];
    const note = (phase: string) => (put: unknown) =>
      void phases.push(`${phase} ${(put as PutTrace).record.partitionKey}`);
    const channel = tracingChannel("millrace:producer:put");
    const subscribers = {
      start: note("start"),
      end: note("end"),
      asyncStart: note("asyncStart"),
      asyncEnd: note("asyncEnd"),
      error: note("error"),
    };
    channel.subscribe(subscribers);
    stop = () => channel.unsubscribe(subscribers);
    const world = new World();
    const producer = world.producer();
    await world.until(producer.put({ partitionKey: "a", data: "x" }));
    const abort = new AbortController();
    const put = producer.put({ partitionKey: "b", data: "x" }, { signal: abort.signal });
    abort.abort(new Error("no longer wanted"));
    await expect(put).rejects.toThrow("no longer wanted");
    expect(phases).toEqual([
      "start a",
      "end a",
      "asyncStart a",
      "asyncEnd a",
      "start b",
      "end b",
      "error b",
      "asyncStart b",
      "asyncEnd b",
    ]);
  });
});
