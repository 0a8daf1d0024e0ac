// @millrace/core/observe

export interface AnyEvent {
    readonly type: string;
}

export interface EventPublisher<Event extends AnyEvent> {
    publish(event: Event): void;
    readonly hasListeners: boolean;
}

export interface MeterPort {
    createCounter(name: string, options: {
        unit: string;
    }): {
        add(value: number, attributes: Attributes): void;
    };
    createHistogram(name: string, options: {
        unit: string;
    }): {
        record(value: number, attributes: Attributes): void;
    };
    createGauge(name: string, options: {
        unit: string;
    }): {
        record(value: number, attributes: Attributes): void;
    };
}

export interface MetricScope {
    readonly operation?: string | undefined;
    readonly workerId?: string | undefined;
    readonly errorCode?: string | undefined;
    readonly streamName?: string | undefined;
    readonly shardId?: string | undefined;
}

export type MetricUnit = "Count" | "Bytes" | "Milliseconds" | "None";

export interface Metrics {
    record(name: string, unit: MetricUnit, value: number, scope: MetricScope, samples?: number): void;
}

export type MetricsGranularity = "global" | "stream" | "shard";

export interface MetricsUploadOptions {
    readonly namespace?: string | undefined;
    readonly granularity?: MetricsGranularity | undefined;
    readonly uploadDelayMs?: number | undefined;
    readonly onError?: ((error: unknown) => void) | undefined;
}

export interface OpenTelemetryMetricsOptions {
    readonly meter: MeterPort;
    readonly prefix?: string | undefined;
    readonly granularity?: MetricsGranularity | undefined;
}

export interface PrometheusMetrics extends Metrics {
    readonly contentType: string;
    text(): string;
}

export interface PrometheusMetricsOptions {
    readonly prefix?: string | undefined;
    readonly granularity?: MetricsGranularity | undefined;
}

export interface PutMetricDataInput {
    readonly Namespace: string;
    readonly MetricData: {
        readonly MetricName: string;
        readonly Unit: MetricUnit;
        readonly Timestamp: Date;
        readonly Dimensions: {
            readonly Name: string;
            readonly Value: string;
        }[];
        readonly StatisticValues: {
            readonly SampleCount: number;
            readonly Sum: number;
            readonly Minimum: number;
            readonly Maximum: number;
        };
    }[];
}

export interface UploadedMetrics extends Metrics, AsyncDisposable {
    flush(): Promise<void>;
    close(): Promise<void>;
}

export declare function cloudWatchMetrics(options: MetricsUploadOptions & {
    readonly send: (input: PutMetricDataInput) => Promise<unknown>;
}, wiring?: {
    readonly system?: System | undefined;
}): UploadedMetrics;

export declare function createEventPublisher<Event extends AnyEvent>(channelName: string, onEvent: ((event: Event) => void) | undefined): EventPublisher<Event>;

export declare function describeError(error: unknown): string;

export declare function embeddedMetrics(options: MetricsUploadOptions & {
    readonly write: (line: string) => void;
}, wiring?: {
    readonly system?: System | undefined;
}): UploadedMetrics;

export declare function openTelemetryMetrics(options: OpenTelemetryMetricsOptions): Metrics;

export declare function prometheusMetrics(options?: PrometheusMetricsOptions): PrometheusMetrics;

// Named above, not exported:

export interface System {
    now(): number;
    wallNow(): number;
    schedule(delayMs: number, callback: () => void, options?: {
        readonly unref?: boolean;
    }): Timer;
    random(): number;
    uuid(): string;
    breathe(): Promise<void>;
}

export interface Timer {
    cancel(): void;
}

type Attributes = Record<string, string>;
