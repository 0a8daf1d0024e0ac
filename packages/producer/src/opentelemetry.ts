/**
 * Driver. OpenTelemetry spans for puts and PutRecords requests, with the trace context in the records' tags.
 *
 * Source of names and attributes: OpenTelemetry semantic conventions for messaging spans (in development), AWS SDK
 * spans and `aws.kinesis.stream_name`; read 2026-11-22.
 */
import { subscribe, unsubscribe, type ChannelListener } from "node:diagnostics_channel";
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Link,
  type Span,
  type TextMapPropagator,
  type Tracer,
} from "@opentelemetry/api";
import type { PutTrace, RequestTrace } from "./tracing.ts";

/** How producers are traced. */
export interface ProducerTracingOptions {
  /** Makes the spans. @default `@millrace/producer` of the global tracer provider */
  readonly tracer?: Tracer | undefined;
  /**
   * Puts a span's context into the tags of its record, so that readers can continue the trace. A record with tags is
   * wrapped in an aggregate even when it goes alone: leave it off where readers do not open aggregates.
   * @default true
   */
  readonly inject?: boolean | undefined;
  /** Writes the context. @default the global one, most often W3C's: the tags `traceparent` and `tracestate` */
  readonly propagator?: Pick<TextMapPropagator, "inject"> | undefined;
}

/** More links than this are dropped by SDKs. Source: OpenTelemetry specification, LinkCountLimit. */
const maxLinks = 128;

/**
 * Traces every producer of this process from now on: a span for each put, from the call to its answer, as a child of the
 * caller's active span; and one for each PutRecords request, with links to the puts in it.
 *
 *     import { traceProducers } from "@millrace/producer/opentelemetry";
 *     const stop = traceProducers();
 *
 * @returns what ends it: later puts are not traced; those under way end as they would.
 */
export function traceProducers(options: ProducerTracingOptions = {}): () => void {
  const tracer = options.tracer ?? trace.getTracer("@millrace/producer");
  const puts = new OpenSpans<PutTrace>("put", (put) => startPut(tracer, put, options), endPut);
  const requests = new OpenSpans<RequestTrace>(
    "request",
    (request) => startRequest(tracer, request, (put) => puts.spanOf(put)),
    endRequest,
  );
  return () => {
    puts.stop();
    requests.stop();
  };
}

/** The spans of one kind of operation, from its start to its end. */
class OpenSpans<T extends { readonly error?: unknown }> {
  readonly #spans = new Map<T, Span>();
  readonly #listeners: readonly [name: string, listener: ChannelListener][];
  #isStopped = false;

  constructor(operation: string, start: (traced: T) => Span, finish: (span: Span, traced: T) => void) {
    const end = (traced: T) => {
      const span = this.#spans.get(traced);
      if (span === undefined) return;
      this.#spans.delete(traced);
      finish(span, traced);
      span.end();
      this.#unsubscribeIfDone();
    };
    const phases: Record<string, (traced: T) => void> = {
      start: (traced) => void (this.#isStopped || this.#spans.set(traced, start(traced))),
      // One that is refused at once has no asynchronous part.
      end: (traced) => {
        if (traced.error !== undefined) end(traced);
      },
      asyncEnd: end,
    };
    this.#listeners = Object.entries(phases).map(([phase, listener]) => [
      `tracing:millrace:producer:${operation}:${phase}`,
      (traced: unknown) => listener(traced as T),
    ]);
    for (const [name, listener] of this.#listeners) subscribe(name, listener);
  }

  spanOf(traced: T): Span | undefined {
    return this.#spans.get(traced);
  }

  /** Starts no more; listens on until what has begun has ended. */
  stop(): void {
    this.#isStopped = true;
    this.#unsubscribeIfDone();
  }

  #unsubscribeIfDone(): void {
    if (!this.#isStopped || this.#spans.size > 0) return;
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener);
  }
}

function startPut(tracer: Tracer, put: PutTrace, options: ProducerTracingOptions): Span {
  const { streamName, record } = put;
  const active = context.active();
  const span = tracer.startSpan(
    `send ${streamName}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        "messaging.system": "aws_kinesis",
        "messaging.operation.type": "send",
        "messaging.operation.name": "put",
        "messaging.destination.name": streamName,
        "aws.kinesis.stream_name": streamName,
      },
    },
    active,
  );
  if (options.inject !== false && typeof record === "object") {
    const carrier: Record<string, string> = {};
    const setter = { set: (target: Record<string, string>, key: string, value: string) => void (target[key] = value) };
    const withSpan = trace.setSpan(active, span);
    if (options.propagator === undefined) propagation.inject(withSpan, carrier, setter);
    else options.propagator.inject(withSpan, carrier, setter);
    if (Object.keys(carrier).length > 0) put.addedTags = { ...put.addedTags, ...carrier };
  }
  return span;
}

function endPut(span: Span, put: PutTrace): void {
  const { result } = put;
  if (result === undefined) {
    recordFailure(span, put.error);
  } else {
    const { sequenceNumber, subSequenceNumber, shardId, attempts } = result;
    const place = subSequenceNumber === undefined ? sequenceNumber : `${sequenceNumber}/${subSequenceNumber}`;
    span.setAttributes({
      "messaging.message.id": place,
      "messaging.destination.partition.id": shardId,
      "millrace.attempts": attempts.length,
    });
  }
}

function startRequest(tracer: Tracer, request: RequestTrace, spanOf: (put: PutTrace) => Span | undefined): Span {
  const links: Link[] = [];
  for (const put of request.puts()) {
    if (links.length === maxLinks) break;
    const span = spanOf(put);
    if (span !== undefined) links.push({ context: span.spanContext() });
  }
  const { streamName } = request;
  return tracer.startSpan(`PutRecords ${streamName}`, {
    kind: SpanKind.CLIENT,
    // It carries records of many traces, and whichever happened to set it off is not its parent.
    root: true,
    links,
    attributes: {
      "rpc.system": "aws-api",
      "rpc.service": "Kinesis",
      "rpc.method": "PutRecords",
      "messaging.system": "aws_kinesis",
      "messaging.destination.name": streamName,
      "messaging.batch.message_count": request.userRecords,
      "aws.kinesis.stream_name": streamName,
      "millrace.kinesis_records": request.kinesisRecords,
      "millrace.request_bytes": request.bytes,
    },
  });
}

function endRequest(span: Span, request: RequestTrace): void {
  const refused = request.result?.records.filter((record) => !record.ok).length;
  if (refused === undefined) recordFailure(span, request.error);
  else span.setAttribute("millrace.refused_kinesis_records", refused);
}

function recordFailure(span: Span, error: unknown): void {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === "string") span.setAttribute("error.type", code);
  if (error instanceof Error) span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(typeof message === "string" && { message }) });
}
