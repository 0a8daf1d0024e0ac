/**
 * One trace from a put to the handler of its record: over the wire, through an aggregate, with OpenTelemetry's own SDK.
 */
import { Consumer } from "@millrace/consumer";
import { traceEach } from "@millrace/consumer/opentelemetry";
import { MemoryLeaseTable } from "@millrace/consumer/testing";
import { Producer } from "@millrace/producer";
import { traceProducers } from "@millrace/producer/opentelemetry";
import { KinesisSimulator } from "@millrace/simulator";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, expect, it } from "vitest";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

it("joins the spans of put and handler in one trace for each record", async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer("test");
  const propagator = new W3CTraceContextPropagator();
  const simulator = await KinesisSimulator.listen();
  closing.push(() => simulator.close());
  simulator.createStream({ streamName: "traced", shardCount: 2 });
  const client = simulator.client();

  closing.push(traceProducers({ tracer, propagator }));
  const producer = new Producer({ streamName: "traced", client });
  closing.push(() => producer.close());
  await producer.putAll(Array.from({ length: 40 }, (_, index) => ({ partitionKey: `key-${index}`, data: `${index}` })));

  const consumer = new Consumer({
    streamName: "traced",
    applicationName: "reader",
    leaseTable: new MemoryLeaseTable(),
    client,
  });
  closing.push(() => consumer.close());
  const stop = new AbortController();
  let handled = 0;
  const handler = traceEach(
    async () => {
      if (++handled === 40) setImmediate(() => stop.abort());
      await Promise.resolve();
    },
    { tracer, propagator },
  );
  await consumer.runEach(handler, { signal: stop.signal });

  const spans = exporter.getFinishedSpans();
  const puts = new Map(
    spans.filter(({ name }) => name === "send traced").map((span) => [span.spanContext().spanId, span]),
  );
  const processes = spans.filter(({ name }) => name === "process traced");
  expect(puts.size).toBe(40);
  expect(new Set(processes.map((span) => span.parentSpanContext?.spanId))).toEqual(new Set(puts.keys()));
  for (const span of processes) {
    const put = puts.get(span.parentSpanContext?.spanId ?? "");
    expect(span.spanContext().traceId).toBe(put?.spanContext().traceId);
    expect(span.attributes["messaging.message.id"]).toBe(put?.attributes["messaging.message.id"]);
  }
});
