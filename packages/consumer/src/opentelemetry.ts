/**
 * Driver. OpenTelemetry on the reading side: continues the traces whose context travels in the records' tags.
 *
 * Source of names and attributes: OpenTelemetry semantic conventions for messaging spans (in development), read 2026-11-22.
 */
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Link,
  type Span,
  type TextMapPropagator,
  type Tracer,
} from "@opentelemetry/api";
import type { RecordContext } from "./processing/each-ports.ts";
import type { RecordHandler } from "./processing/per-record.ts";
import { placeOf, type ConsumedRecord } from "./record.ts";

/** How trace context is read. */
export interface TraceContextOptions {
  /** Reads the context. @default the global one, most often W3C's: the tags `traceparent` and `tracestate` */
  readonly propagator?: Pick<TextMapPropagator, "extract"> | undefined;
}

/** How a handler is traced. */
export interface HandlerTracingOptions extends TraceContextOptions {
  /** Makes the spans. @default `@millrace/consumer` of the global tracer provider */
  readonly tracer?: Tracer | undefined;
  /**
   * How a span belongs to the one of the put: as its child, so that one trace shows the record's whole way, or in a trace
   * of its own with a link.
   * @default "parent"
   */
  readonly relation?: "parent" | "link" | undefined;
}

/** More links than this are dropped by SDKs. Source: OpenTelemetry specification, LinkCountLimit. */
const maxLinks = 128;

const getter = {
  get: (tags: Readonly<Record<string, string>>, key: string) => tags[key],
  keys: (tags: Readonly<Record<string, string>>) => Object.keys(tags),
};

/**
 * A handler for `runEach` that calls `handler` within a span of its own for each attempt, which continues the trace of the
 * record's put.
 *
 *     await consumer.runEach(traceEach(async (record) => store(record)));
 */
export function traceEach(handler: RecordHandler, options: HandlerTracingOptions = {}): RecordHandler {
  const tracer = options.tracer ?? trace.getTracer("@millrace/consumer");
  return async (record, recordContext) => {
    const parent = traceContextOf(record, options);
    const span = startProcess(tracer, record, recordContext, parent, options.relation ?? "parent");
    try {
      await context.with(trace.setSpan(parent, span), () => handler(record, recordContext));
    } catch (error) {
      if (error instanceof Error) span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  };
}

/** The context that was active when the record was put, to begin spans in; the root context where its tags have none. */
export function traceContextOf(record: Pick<ConsumedRecord, "tags">, options: TraceContextOptions = {}): Context {
  const tags = record.tags ?? {};
  if (options.propagator === undefined) return propagation.extract(ROOT_CONTEXT, tags, getter);
  return options.propagator.extract(ROOT_CONTEXT, tags, getter);
}

/**
 * Links to the spans of these records' puts, each once, for a span of the caller's that handles a batch. At most 128, which
 * is what SDKs keep.
 *
 *     tracer.startActiveSpan("store batch", { links: linksOf(batch.records) }, async (span) => { ... });
 */
export function linksOf(records: Iterable<Pick<ConsumedRecord, "tags">>, options: TraceContextOptions = {}): Link[] {
  const links = new Map<string, Link>();
  for (const record of records) {
    if (links.size === maxLinks) break;
    if (record.tags === undefined) continue;
    const spanContext = trace.getSpanContext(traceContextOf(record, options));
    if (spanContext !== undefined) links.set(`${spanContext.traceId}-${spanContext.spanId}`, { context: spanContext });
  }
  return [...links.values()];
}

function startProcess(
  tracer: Tracer,
  record: ConsumedRecord,
  { streamName, shardId, attempt }: RecordContext,
  parent: Context,
  relation: "parent" | "link",
): Span {
  const { sequenceNumber, subSequenceNumber } = placeOf(record);
  const attributes = {
    "messaging.system": "aws_kinesis",
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
    "messaging.destination.name": streamName,
    "messaging.destination.partition.id": shardId,
    "messaging.message.id":
      record.subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber}/${subSequenceNumber}`,
    "aws.kinesis.stream_name": streamName,
    "millrace.attempt": attempt,
  };
  const common = { kind: SpanKind.CONSUMER, attributes };
  if (relation === "parent") return tracer.startSpan(`process ${streamName}`, common, parent);
  return tracer.startSpan(`process ${streamName}`, { ...common, root: true, links: linksIn(parent) });
}

function linksIn(parent: Context): Link[] {
  const spanContext = trace.getSpanContext(parent);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}
