// @millrace/consumer/dynamodb

export declare function checkpointWith(batch: RecordBatch, items: TransactWriteItem[]): Promise<void>;

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

export interface PreparedCheckpoint {
    checkpoint(): Promise<void>;
}

export interface RecordBatch {
    readonly shardId: string;
    readonly millisBehindLatest: number;
    readonly records: readonly ConsumedRecord[];
    checkpoint(upTo?: ConsumedRecord, options?: {
        readonly durable?: boolean | undefined;
    }): Promise<void>;
    prepareCheckpoint(upTo?: ConsumedRecord, options?: {
        readonly state?: Uint8Array | undefined;
    }): Promise<PreparedCheckpoint>;
}
