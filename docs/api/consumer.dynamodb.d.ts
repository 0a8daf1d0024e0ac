// @millrace/consumer/dynamodb

export declare function checkpointWith(batch: RecordBatch, items: TransactWriteItem[]): Promise<void>;

// Named above, not exported:

export interface ConsumedRecord {
    readonly data: Uint8Array;
    readonly partitionKey?: string;
    readonly explicitHashKey?: string;
    readonly sequenceNumber: string;
    readonly subSequenceNumber?: number;
    readonly approximateArrivalTimestamp?: Date;
    readonly tags?: Record<string, string>;
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
