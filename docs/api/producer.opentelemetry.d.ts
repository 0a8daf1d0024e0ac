// @millrace/producer/opentelemetry

export interface ProducerTracingOptions {
    readonly tracer?: Tracer | undefined;
    readonly inject?: boolean | undefined;
    readonly propagator?: Pick<TextMapPropagator, "inject"> | undefined;
}

export declare function traceProducers(options?: ProducerTracingOptions): () => void;
