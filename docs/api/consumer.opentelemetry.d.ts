// @millrace/consumer/opentelemetry

export interface HandlerTracingOptions extends TraceContextOptions {
    readonly tracer?: Tracer | undefined;
    readonly relation?: "parent" | "link" | undefined;
}

export interface TraceContextOptions {
    readonly propagator?: Pick<TextMapPropagator, "extract"> | undefined;
}

export declare function linksOf(records: Iterable<Pick<ConsumedRecord, "tags">>, options?: TraceContextOptions): Link[];

export declare function traceContextOf(record: Pick<ConsumedRecord, "tags">, options?: TraceContextOptions): Context;

export declare function traceEach(handler: RecordHandler, options?: HandlerTracingOptions): RecordHandler;

// Named above, not exported:

export interface ConsumedRecord {
    readonly data: Uint8Array;
    readonly partitionKey?: string | undefined;
    readonly explicitHashKey?: string | undefined;
    readonly sequenceNumber: string;
    readonly subSequenceNumber?: number | undefined;
    readonly approximateArrivalTimestamp?: Date | undefined;
    readonly tags?: Record<string, string> | undefined;
    text(): string;
    json(): unknown;
}

export interface RecordContext {
    readonly shardId: string;
    readonly streamName: string;
    readonly attempt: number;
    readonly signal: AbortSignal;
    readonly fencingToken: bigint;
}

export type RecordHandler = (record: ConsumedRecord, context: RecordContext) => Promise<void>;
