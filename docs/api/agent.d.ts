// @millrace/agent

export declare class Agent implements AsyncDisposable {
    #private;
    constructor(options: AgentOptions,                  wiring?: AgentWiring);
    start(): void;
    status(): readonly FlowStatus[];
    get lastReload(): ReloadStatus | undefined;
    reload(config: AgentConfigInput | (() => AgentConfigInput)): Promise<void>;
    catchUp(): Promise<void>;
    drain(options?: {
        readonly signal?: AbortSignal | undefined;
    }): Promise<void>;
    close(options?: {
        readonly signal?: AbortSignal | undefined;
    }): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export type AgentConfigInput = z.input<typeof agentSchema>;

export type AgentEvent = 
{
    readonly type: "config-warning";
    readonly path: string;
    readonly text: string;
}
 | {
    readonly type: "reloaded";
    readonly unchanged: number;
    readonly added: number;
    readonly changed: number;
    readonly removed: number;
}
 | {
    readonly type: "reload-refused";
    readonly error: string;
} | {
    readonly type: "flow-started";
    readonly flow: string;
    readonly patterns: readonly string[];
}
 | {
    readonly type: "checkpoints-taken-over";
    readonly flow: string;
    readonly files: number;
}
 | {
    readonly type: "instance-metadata-missing";
    readonly error: string;
} | {
    readonly type: "flow-stopped";
    readonly flow: string;
    readonly unsettledRecords: number;
} | {
    readonly type: "file-found";
    readonly flow: string;
    readonly path: string;
    readonly generation: string;
    readonly positionBytes: number;
    readonly because: FoundBecause;
} | {
    readonly type: "file-rotated";
    readonly flow: string;
    readonly path: string;
    readonly generation: string;
    readonly how: RotatedHow;
    readonly newPath?: string | undefined;
} | {
    readonly type: "file-finished";
    readonly flow: string;
    readonly path: string;
    readonly generation: string;
} | {
    readonly type: "bytes-possibly-lost";
    readonly flow: string;
    readonly path: string;
    readonly bytes: number;
    readonly because: "truncated" | "missing" | "unreadable";
} | {
    readonly type: "ambiguous-file";
    readonly flow: string;
    readonly path: string;
    readonly like: string;
    readonly resolvedAs: "start" | "end" | "fail";
} | {
    readonly type: "file-unreadable";
    readonly flow: string;
    readonly path: string;
    readonly code: string;
} | {
    readonly type: "flow-paused";
    readonly flow: string;
    readonly records: number;
    readonly error: string;
    readonly retryInMs: number;
} | {
    readonly type: "flow-resumed";
    readonly flow: string;
} | {
    readonly type: "record-undeliverable";
    readonly flow: string;
    readonly path: string;
    readonly startBytes: number;
    readonly endBytes: number;
    readonly error: string;
} | {
    readonly type: "long-line";
    readonly flow: string;
    readonly path: string;
    readonly endBytes: number;
} | {
    readonly type: "positions-not-saved";
    readonly flow: string;
    readonly error: string;
} | {
    readonly type: "flow-failed";
    readonly flow: string;
    readonly error: string;
} | {
    readonly type: "progress";
    readonly flow: string;
    readonly counters: Readonly<FlowCounters>;
    readonly bytesBehind: number;
}
 | {
    readonly type: "agent-progress";
    readonly recordsRead: number;
    readonly bytesRead: number;
    readonly recordsSent: number;
    readonly uptimeMs: number;
};

export interface AgentOptions {
    readonly config?: AgentConfigInput | undefined;
    readonly flows?: readonly FlowConfigInput[] | undefined;
    readonly client?: KinesisClient | undefined;
    readonly firehoseClient?: FirehoseClient | undefined;
    readonly positionsPath?: string | undefined;
    readonly onEvent?: ((event: AgentEvent) => void) | undefined;
}

export interface AgentWiring {
    readonly kinesis?: KinesisPort | undefined;
    readonly system?: System | undefined;
    readonly files?: FileSystem | undefined;
    readonly store?: PositionStore | undefined;
    readonly createDestination?: ((flow: FlowConfig) => Destination) | undefined;
}

export declare class AmbiguousFileError extends Error {
    readonly name = "AmbiguousFileError";
    readonly code = "ERR_AMBIGUOUS_FILE";
}

export { ConfigError } from "@millrace/core/options";

export interface Destination {
    put(record: OutgoingRecord, options?: {
        readonly signal?: AbortSignal;
    }): Promise<unknown>;
    offer?(record: OutgoingRecord, onSettled: (result: unknown, error?: unknown) => void): boolean;
    ready(): Promise<void>;
    flush(): Promise<void>;
    close(options?: {
        readonly signal?: AbortSignal;
    }): Promise<void>;
}

export interface FileFault {
    readonly reason: "missing" | "denied" | "other";
    readonly code: string;
}

export interface FileStat {
    readonly device: string;
    readonly inode: string;
    readonly sizeBytes: number;
    readonly modifiedMs: number;
    readonly bornMs: number;
    readonly linkCount: number;
}

export interface FileSystem {
    find(include: readonly string[], exclude: readonly string[]): Promise<readonly string[]>;
    siblings(path: string): Promise<readonly string[]>;
    stat(path: string): Stated;
    open(path: string): Promise<Opened>;
    watch(directories: readonly string[], onChange: (change?: Change) => void): {
        close(): void;
    };
}

export type FlowConfigInput = z.input<typeof flowSchema>;

export interface FlowCounters {
    recordsRead: number;
    bytesRead: number;
    recordsSent: number;
    bytesSent: number;
    recordsFiltered: number;
    recordsTransformed: number;
    recordsUnparsed: number;
    longLines: number;
    recordsRetried: number;
    recordsUndeliverable: number;
    bytesPossiblyLost: number;
    ambiguousFiles: number;
}

export interface FlowFile {
    readonly path: string;
    readonly generation: string;
    readonly status: string;
    readonly sizeBytes: number;
    readonly readBytes: number;
    readonly savedBytes: number;
}

export interface FlowStatus {
    readonly flow: string;
    readonly counters: Readonly<FlowCounters>;
    readonly unsettledRecords: number;
    readonly trouble: string | undefined;
    readonly stuckMs: number | null;
    readonly files: readonly FlowFile[];
}

export declare class MemoryPositionStore implements PositionStore {
    #private;
    load(flowId: string): SavedFlow;
    save(flowId: string, rows: readonly SavedGeneration[], removedIds: readonly string[]): void;
    close(): void;
}

export interface OpenFile {
    read(target: Uint8Array, positionBytes: number): Promise<number>;
    stat(): FileStat;
    close(): Promise<void>;
}

export type Opened = {
    readonly ok: true;
    readonly file: OpenFile;
} | {
    readonly ok: false;
    readonly fault: FileFault;
};

export interface OutgoingRecord {
    readonly partitionKey: string;
    readonly data: Uint8Array;
}

export interface PositionStore {
    load(flowId: string): SavedFlow;
    save(flowId: string, rows: readonly SavedGeneration[], removedIds: readonly string[]): void;
    close(): void;
}

export declare class PositionsUnavailableError extends Error {
    readonly name = "PositionsUnavailableError";
    readonly code = "ERR_POSITIONS_UNAVAILABLE";
}

export declare class PositionsUnreadableError extends Error {
    readonly name = "PositionsUnreadableError";
    readonly code = "ERR_POSITIONS_UNREADABLE";
}

export type ReloadStatus = {
    readonly at: string;
    readonly ok: true;
}
 | {
    readonly at: string;
    readonly ok: false;
    readonly error: string;
};

export interface SavedFlow {
    readonly isKnown: boolean;
    readonly generations: readonly SavedGeneration[];
}

export interface SavedGeneration {
    readonly id: string;
    readonly path: string;
    readonly device: string;
    readonly inode: string;
    readonly bornMs: number;
    readonly fingerprint: BytesHash;
    readonly positionBytes: number;
    readonly marker: BytesHash;
    readonly framing: FramingState;
    readonly sizeBytes: number;
    readonly modifiedMs: number;
    readonly isMissing: boolean;
    readonly updatedMs: number;
}

export interface Sighting extends FileStat {
    readonly path: string;
}

export type Stated = {
    readonly ok: true;
    readonly stat: FileStat;
} | {
    readonly ok: false;
    readonly fault: FileFault;
};

// Named above, not exported:

export declare const agentSchema: z.ZodObject<{
    flows: z.ZodArray<z.ZodObject<{
        filePattern: z.ZodUnion<readonly [z.ZodPipe<z.ZodString, z.ZodTransform<string[], string>>, z.ZodArray<z.ZodString>]>;
        kinesisStream: z.ZodOptional<z.ZodString>;
        deliveryStream: z.ZodOptional<z.ZodString>;
        partitionKeyOption: z.ZodDefault<z.ZodEnum<{
            DETERMINISTIC: "DETERMINISTIC";
            RANDOM: "RANDOM";
        }>>;
        initialPosition: z.ZodDefault<z.ZodEnum<{
            END_OF_FILE: "END_OF_FILE";
            START_OF_FILE: "START_OF_FILE";
        }>>;
        maxBufferAgeMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        maxBufferSizeRecords: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        maxBufferSizeBytes: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        minTimeBetweenFilePollsMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        maxTimeBetweenFileTrackerRefreshMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        multiLineStartPattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
        fileFooterPattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
        skipHeaderLines: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        truncatedRecordTerminator: z.ZodDefault<z.ZodString>;
        aggregatedRecordSizeBytes: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        retryInitialBackoffMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        retryMaxBackoffMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        dataProcessingOptions: z.ZodDefault<z.ZodPreprocess<z.ZodArray<z.ZodDiscriminatedUnion<[z.ZodObject<{
            optionName: z.ZodLiteral<"SINGLELINE">;
            parseOptions: z.ZodDefault<z.ZodArray<z.ZodEnum<{
                ESCAPE_NEW_LINE: "ESCAPE_NEW_LINE";
                NO_TRIM: "NO_TRIM";
            }>>>;
        }, z.core.$strict>, z.ZodObject<{
            optionName: z.ZodLiteral<"CSVTOJSON">;
            customFieldNames: z.ZodArray<z.ZodString>;
            delimiter: z.ZodDefault<z.ZodString>;
            jsonFormat: z.ZodDefault<z.ZodEnum<{
                COMPACT: "COMPACT";
                PRETTYPRINT: "PRETTYPRINT";
            }>>;
        }, z.core.$strict>, z.ZodObject<{
            optionName: z.ZodLiteral<"LOGTOJSON">;
            logFormat: z.ZodEnum<{
                APACHEERRORLOG: "APACHEERRORLOG";
                COMBINEDAPACHELOG: "COMBINEDAPACHELOG";
                COMMONAPACHELOG: "COMMONAPACHELOG";
                RFC3339SYSLOG: "RFC3339SYSLOG";
                SYSLOG: "SYSLOG";
            }>;
            matchPattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
            customFieldNames: z.ZodOptional<z.ZodArray<z.ZodString>>;
            jsonFormat: z.ZodDefault<z.ZodEnum<{
                COMPACT: "COMPACT";
                PRETTYPRINT: "PRETTYPRINT";
            }>>;
        }, z.core.$strict>, z.ZodObject<{
            optionName: z.ZodLiteral<"ADDMETADATA">;
            metadata: z.ZodRecord<z.ZodString, z.ZodUnknown>;
            timestamp: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
            jsonFormat: z.ZodDefault<z.ZodEnum<{
                COMPACT: "COMPACT";
                PRETTYPRINT: "PRETTYPRINT";
            }>>;
        }, z.core.$strict>, z.ZodObject<{
            optionName: z.ZodLiteral<"ADDEC2METADATA">;
            metadataTTL: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
            logFormat: z.ZodOptional<z.ZodUnknown>;
            jsonFormat: z.ZodDefault<z.ZodEnum<{
                COMPACT: "COMPACT";
                PRETTYPRINT: "PRETTYPRINT";
            }>>;
        }, z.core.$strict>, z.ZodObject<{
            optionName: z.ZodLiteral<"ADDBRACKETS">;
        }, z.core.$strict>], "optionName">>, unknown>>;
        exclude: z.ZodDefault<z.ZodUnion<readonly [z.ZodPipe<z.ZodString, z.ZodTransform<string[], string>>, z.ZodArray<z.ZodString>]>>;
        partitionKey: z.ZodOptional<z.ZodString>;
        onLongLine: z.ZodDefault<z.ZodEnum<{
            skip: "skip";
            split: "split";
            truncate: "truncate";
        }>>;
        onParseError: z.ZodDefault<z.ZodEnum<{
            deadLetter: "deadLetter";
            drop: "drop";
            raw: "raw";
        }>>;
        onAmbiguousFile: z.ZodDefault<z.ZodEnum<{
            end: "end";
            fail: "fail";
            start: "start";
        }>>;
        multiLineContinuePattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
        multiLineTimeoutMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        multiLineMaxLines: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        partialLineFlushMillis: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        rotateWaitMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        maxRecordSizeBytes: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        stripNewline: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
        aggregation: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
        compression: z.ZodDefault<z.ZodEnum<{
            gzip: "gzip";
            none: "none";
            zstd: "zstd";
        }>>;
        ordering: z.ZodDefault<z.ZodEnum<{
            none: "none";
            perKey: "perKey";
        }>>;
        maxBytesPerSecond: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        maxRecordsPerSecond: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        "log.emitInternalMetrics": z.ZodOptional<z.ZodUnknown>;
        publishQueueCapacity: z.ZodOptional<z.ZodUnknown>;
        waitOnEmptyPublishQueueMillis: z.ZodOptional<z.ZodUnknown>;
        waitOnFullPublishQueueMillis: z.ZodOptional<z.ZodUnknown>;
        waitOnFullRetryQueueMillis: z.ZodOptional<z.ZodUnknown>;
    }, z.core.$strict>>;
    awsAccessKeyId: z.ZodOptional<z.ZodString>;
    awsSecretAccessKey: z.ZodOptional<z.ZodString>;
    assumeRoleARN: z.ZodOptional<z.ZodString>;
    assumeRoleExternalId: z.ZodOptional<z.ZodString>;
    "sts.endpoint": z.ZodOptional<z.ZodString>;
    "kinesis.endpoint": z.ZodOptional<z.ZodString>;
    "kinesis.region": z.ZodOptional<z.ZodString>;
    "firehose.endpoint": z.ZodOptional<z.ZodString>;
    "log.level": z.ZodDefault<z.ZodEnum<{
        debug: "debug";
        error: "error";
        fatal: "fatal";
        info: "info";
        trace: "trace";
        warn: "warn";
    }>>;
    "log.statusReportingPeriodSeconds": z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    checkpointFile: z.ZodDefault<z.ZodString>;
    checkpointTimeToLiveDays: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxConnections: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    connectionTimeoutMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    socketTimeoutMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    shutdownTimeoutMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    userAgent: z.ZodOptional<z.ZodString>;
    "firehose.region": z.ZodOptional<z.ZodString>;
    positionsFile: z.ZodDefault<z.ZodString>;
    deadLetterDirectory: z.ZodOptional<z.ZodString>;
    maxBufferedBytes: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxOpenFiles: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    watchFiles: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
    importCheckpoints: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
    reloadOnChange: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
    "http.port": z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    "http.host": z.ZodDefault<z.ZodString>;
    "userDefinedCredentialsProvider.classname": z.ZodOptional<z.ZodUnknown>;
    "userDefinedCredentialsProvider.location": z.ZodOptional<z.ZodUnknown>;
}, z.core.$strict>;

export declare const flowSchema: z.ZodObject<{
    filePattern: z.ZodUnion<readonly [z.ZodPipe<z.ZodString, z.ZodTransform<string[], string>>, z.ZodArray<z.ZodString>]>;
    kinesisStream: z.ZodOptional<z.ZodString>;
    deliveryStream: z.ZodOptional<z.ZodString>;
    partitionKeyOption: z.ZodDefault<z.ZodEnum<{
        DETERMINISTIC: "DETERMINISTIC";
        RANDOM: "RANDOM";
    }>>;
    initialPosition: z.ZodDefault<z.ZodEnum<{
        END_OF_FILE: "END_OF_FILE";
        START_OF_FILE: "START_OF_FILE";
    }>>;
    maxBufferAgeMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxBufferSizeRecords: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxBufferSizeBytes: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    minTimeBetweenFilePollsMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxTimeBetweenFileTrackerRefreshMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    multiLineStartPattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
    fileFooterPattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
    skipHeaderLines: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    truncatedRecordTerminator: z.ZodDefault<z.ZodString>;
    aggregatedRecordSizeBytes: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    retryInitialBackoffMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    retryMaxBackoffMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    dataProcessingOptions: z.ZodDefault<z.ZodPreprocess<z.ZodArray<z.ZodDiscriminatedUnion<[z.ZodObject<{
        optionName: z.ZodLiteral<"SINGLELINE">;
        parseOptions: z.ZodDefault<z.ZodArray<z.ZodEnum<{
            ESCAPE_NEW_LINE: "ESCAPE_NEW_LINE";
            NO_TRIM: "NO_TRIM";
        }>>>;
    }, z.core.$strict>, z.ZodObject<{
        optionName: z.ZodLiteral<"CSVTOJSON">;
        customFieldNames: z.ZodArray<z.ZodString>;
        delimiter: z.ZodDefault<z.ZodString>;
        jsonFormat: z.ZodDefault<z.ZodEnum<{
            COMPACT: "COMPACT";
            PRETTYPRINT: "PRETTYPRINT";
        }>>;
    }, z.core.$strict>, z.ZodObject<{
        optionName: z.ZodLiteral<"LOGTOJSON">;
        logFormat: z.ZodEnum<{
            APACHEERRORLOG: "APACHEERRORLOG";
            COMBINEDAPACHELOG: "COMBINEDAPACHELOG";
            COMMONAPACHELOG: "COMMONAPACHELOG";
            RFC3339SYSLOG: "RFC3339SYSLOG";
            SYSLOG: "SYSLOG";
        }>;
        matchPattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
        customFieldNames: z.ZodOptional<z.ZodArray<z.ZodString>>;
        jsonFormat: z.ZodDefault<z.ZodEnum<{
            COMPACT: "COMPACT";
            PRETTYPRINT: "PRETTYPRINT";
        }>>;
    }, z.core.$strict>, z.ZodObject<{
        optionName: z.ZodLiteral<"ADDMETADATA">;
        metadata: z.ZodRecord<z.ZodString, z.ZodUnknown>;
        timestamp: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
        jsonFormat: z.ZodDefault<z.ZodEnum<{
            COMPACT: "COMPACT";
            PRETTYPRINT: "PRETTYPRINT";
        }>>;
    }, z.core.$strict>, z.ZodObject<{
        optionName: z.ZodLiteral<"ADDEC2METADATA">;
        metadataTTL: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
        logFormat: z.ZodOptional<z.ZodUnknown>;
        jsonFormat: z.ZodDefault<z.ZodEnum<{
            COMPACT: "COMPACT";
            PRETTYPRINT: "PRETTYPRINT";
        }>>;
    }, z.core.$strict>, z.ZodObject<{
        optionName: z.ZodLiteral<"ADDBRACKETS">;
    }, z.core.$strict>], "optionName">>, unknown>>;
    exclude: z.ZodDefault<z.ZodUnion<readonly [z.ZodPipe<z.ZodString, z.ZodTransform<string[], string>>, z.ZodArray<z.ZodString>]>>;
    partitionKey: z.ZodOptional<z.ZodString>;
    onLongLine: z.ZodDefault<z.ZodEnum<{
        skip: "skip";
        split: "split";
        truncate: "truncate";
    }>>;
    onParseError: z.ZodDefault<z.ZodEnum<{
        deadLetter: "deadLetter";
        drop: "drop";
        raw: "raw";
    }>>;
    onAmbiguousFile: z.ZodDefault<z.ZodEnum<{
        end: "end";
        fail: "fail";
        start: "start";
    }>>;
    multiLineContinuePattern: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<RegExp, string>>>;
    multiLineTimeoutMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    multiLineMaxLines: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    partialLineFlushMillis: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    rotateWaitMillis: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxRecordSizeBytes: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    stripNewline: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
    aggregation: z.ZodDefault<z.ZodPipe<z.ZodUnknown, z.ZodTransform<boolean, unknown>>>;
    compression: z.ZodDefault<z.ZodEnum<{
        gzip: "gzip";
        none: "none";
        zstd: "zstd";
    }>>;
    ordering: z.ZodDefault<z.ZodEnum<{
        none: "none";
        perKey: "perKey";
    }>>;
    maxBytesPerSecond: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    maxRecordsPerSecond: z.ZodOptional<z.ZodPipe<z.ZodUnknown, z.ZodTransform<number, unknown>>>;
    "log.emitInternalMetrics": z.ZodOptional<z.ZodUnknown>;
    publishQueueCapacity: z.ZodOptional<z.ZodUnknown>;
    waitOnEmptyPublishQueueMillis: z.ZodOptional<z.ZodUnknown>;
    waitOnFullPublishQueueMillis: z.ZodOptional<z.ZodUnknown>;
    waitOnFullRetryQueueMillis: z.ZodOptional<z.ZodUnknown>;
}, z.core.$strict>;

export interface BytesHash {
    readonly lengthBytes: number;
    readonly digest: string;
}

export interface FramingState {
    readonly headerLinesLeft: number;
    readonly inside: "line-start" | "discard" | "split";
    readonly ended: boolean;
}

export type Change = {
    readonly kind: "content";
    readonly path: string;
} | {
    readonly kind: "entry";
} | {
    readonly kind: "end";
};

export type FlowConfig = z.output<typeof flowSchema>;

export type FoundBecause = "first-start" | "new" | "resumed" | "returned";

export type RotatedHow = "renamed" | "moved-away" | "deleted" | "truncated" | "replaced" | "copied" | "missing";
