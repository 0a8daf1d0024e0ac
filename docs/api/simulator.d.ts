// @millrace/simulator

export type ActionName = (typeof actionNames)[number];

export interface CallContext {
    readonly accessKeyId?: string | undefined;
    readonly signal?: AbortSignal | undefined;
}

export interface KinesisExecutor {
    execute(action: string, input: ServiceInput, context?: CallContext): Promise<ServiceOutput>;
}

export declare class KinesisService implements KinesisExecutor {
    execute(action: string, _input: ServiceInput, _context?: CallContext): Promise<ServiceOutput>;
}

export declare class ServiceError extends Error {
    readonly name = "ServiceError";
    readonly code: string;
    readonly statusCode: number;
    constructor(code: string, message: string, statusCode?: number);
}

export type ServiceInput = Record<string, unknown>;

export type ServiceOutput = Record<string, unknown>;

export interface SimulatorServer {
    readonly endpoint: string;
    close(): Promise<void>;
}

export interface SubscribeToShardOutput extends ServiceOutput {
    readonly EventStream: AsyncIterable<SubscriptionFrame>;
}

export type SubscriptionFrame = {
    readonly SubscribeToShardEvent: ServiceOutput;
    readonly exception?: undefined;
} | {
    readonly exception: ServiceError;
    readonly SubscribeToShardEvent?: undefined;
};

export declare class WireFault extends Error {
    readonly name = "WireFault";
    readonly kind: WireFaultKind;
    readonly tookEffect: boolean;
    readonly statusCode: number;
    readonly body: string;
    constructor(fields: {
        kind: WireFaultKind;
        tookEffect: boolean;
        statusCode?: number;
        body?: string;
    });
}

export type WireFaultKind = "reset" | "raw-body" | "truncate";

export declare const actionNames: readonly ["AddTagsToStream", "CreateStream", "DecreaseStreamRetentionPeriod", "DeleteResourcePolicy", "DeleteStream", "DeregisterStreamConsumer", "DescribeAccountSettings", "DescribeLimits", "DescribeStream", "DescribeStreamConsumer", "DescribeStreamSummary", "DisableEnhancedMonitoring", "EnableEnhancedMonitoring", "GetRecords", "GetResourcePolicy", "GetShardIterator", "IncreaseStreamRetentionPeriod", "ListShards", "ListStreamConsumers", "ListStreams", "ListTagsForResource", "ListTagsForStream", "MergeShards", "PutRecord", "PutRecords", "PutResourcePolicy", "RegisterStreamConsumer", "RemoveTagsFromStream", "SplitShard", "StartStreamEncryption", "StopStreamEncryption", "SubscribeToShard", "TagResource", "UntagResource", "UpdateAccountSettings", "UpdateMaxRecordSize", "UpdateShardCount", "UpdateStreamMode", "UpdateStreamRecordDistributionStrategy", "UpdateStreamWarmThroughput"];
