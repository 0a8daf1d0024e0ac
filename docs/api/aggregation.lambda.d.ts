// @millrace/aggregation/lambda

export interface KinesisHandlerOptions extends Omit<DeaggregateOptions, "maxRecords"> {
    readonly onFailure?: "report" | "throw" | undefined;
    readonly onError?: ((error: unknown, record: UserRecordView | undefined) => void) | undefined;
}

export interface KinesisWindow {
    readonly start: Date;
    readonly end: Date;
    readonly isTerminatedEarly: boolean;
}

export interface WindowOptions<State extends Record<string, unknown>> extends KinesisHandlerOptions {
    initialState(): State;
    add(state: State, record: UserRecordView, context: Context): State | Promise<State>;
    finish(state: State, window: KinesisWindow, context: Context): void | Promise<void>;
}

export declare function kinesisHandler(handler: (record: UserRecordView, context: Context) => Promise<void>, options?: KinesisHandlerOptions): KinesisStreamHandler;

export declare function kinesisWindowHandler<State extends Record<string, unknown>>(options: WindowOptions<State>): KinesisStreamTumblingWindowHandler;

// Named above, not exported:

export interface DeaggregateOptions {
    readonly onBadDigest?: DefectOutcome | undefined;
    readonly onUnparsable?: DefectOutcome | undefined;
    readonly onBadIndex?: DefectOutcome | undefined;
    readonly onOutOfRange?: DefectOutcome | undefined;
    readonly onBadCompression?: DefectOutcome | undefined;
    readonly hashKeyRange?: {
        readonly startingHashKey: bigint | string;
        readonly endingHashKey: bigint | string;
    } | undefined;
    readonly maxRecords?: number | undefined;
    readonly counts?: DeaggregationCounts | undefined;
}

export interface DeaggregationCounts {
    aggregates: number;
    userRecords: number;
    badDigest: number;
    unparsable: number;
    badIndex: number;
    outOfRange: number;
    compressed: number;
    badCompression: number;
    tooManyRecords: number;
}

export interface UserRecordView {
    readonly data: Uint8Array;
    readonly partitionKey?: string | undefined;
    readonly explicitHashKey?: string | undefined;
    readonly sequenceNumber: string;
    readonly subSequenceNumber: number;
    readonly aggregated: boolean;
    readonly tags?: Readonly<Record<string, string>> | undefined;
}

export type DefectOutcome = "deliver" | "skip" | "fail";
