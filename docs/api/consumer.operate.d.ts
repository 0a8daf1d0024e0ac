// @millrace/consumer/operate

export interface ApplicationOptions {
    readonly applicationName: string;
    readonly leaseTableName?: string | undefined;
    readonly dynamodb?: DynamoDBClient | undefined;
    readonly leaseTable?: LeaseTable | undefined;
}

export interface ApplicationReport {
    readonly leaseTable: string;
    readonly leader: string | undefined;
    readonly leases: readonly LeaseReport[];
    readonly workers: readonly WorkerReport[];
}

export interface LeaseReport {
    readonly leaseKey: string;
    readonly shardId: string;
    readonly streamIdentifier: string | undefined;
    readonly owner: string | undefined;
    readonly nextOwner: string | undefined;
    readonly leaseCounter: string;
    readonly checkpoint: string;
    readonly isFinished: boolean;
    readonly parentShardIds: readonly string[];
    readonly childShardIds: readonly string[];
    readonly failedAttempts: number;
}

export interface OperateWiring {
    readonly kinesis?: KinesisPort | undefined;
    readonly system?: System | undefined;
}

export interface ResetOptions extends ApplicationOptions {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
    readonly client?: KinesisClient | undefined;
    readonly to: InitialPositionOption;
    readonly failoverTimeMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
}

export interface ResetReport {
    readonly shards: number;
    readonly deleted: number;
}

export interface WorkerReport {
    readonly workerId: string;
    readonly lastReportMs: number;
    readonly isActive: boolean;
    readonly leases: number;
}

export declare function readApplication(options: ApplicationOptions, wiring?: OperateWiring): Promise<ApplicationReport>;

export declare function resetApplication(options: ResetOptions, wiring?: OperateWiring): Promise<ResetReport>;

// Named above, not exported:

export interface LeaseTable {
    readonly name: string;
    readonly keyAttribute: string;
    open(options?: TableCallOptions): Promise<ReadOutcome<"created" | "existed">>;
    get(key: string, options?: TableCallOptions & {
        readonly consistent?: boolean;
    }): Promise<ReadOutcome<Row | undefined>>;
    put(row: Row, conditions: readonly Condition[], options?: TableCallOptions): Promise<WriteOutcome>;
    update(update: RowUpdate, options?: TableCallOptions & {
        readonly returnRow?: boolean;
    }): Promise<WriteOutcome>;
    delete(key: string, conditions: readonly Condition[], options?: TableCallOptions): Promise<WriteOutcome>;
    scan(options?: TableCallOptions): Promise<ReadOutcome<readonly Row[]>>;
    keysOwnedBy(owner: string, options?: TableCallOptions): Promise<ReadOutcome<readonly string[]>>;
    updateWith?(update: RowUpdate, items: readonly unknown[], options: TableCallOptions & {
        readonly token: string;
    }): Promise<JointOutcome>;
}

export interface RowUpdate {
    readonly key: string;
    readonly conditions: readonly Condition[];
    readonly set?: Readonly<Record<string, Attribute>>;
    readonly remove?: readonly string[];
    readonly add?: Readonly<Record<string, number>>;
}

export interface TableCallOptions {
    readonly signal?: AbortSignal | undefined;
}

export interface TableFailure {
    readonly ok: false;
    readonly reason: "throttled" | "unknown" | "refused";
    readonly error: Error;
}

export type Attribute = {
    readonly S: string;
} | {
    readonly N: string;
} | {
    readonly B: Uint8Array;
} | {
    readonly SS: readonly string[];
} | {
    readonly L: readonly Attribute[];
} | {
    readonly M: Readonly<Record<string, Attribute>>;
};

export type Condition = {
    readonly attribute: string;
    readonly is: "present";
} | {
    readonly attribute: string;
    readonly is: "absent";
} | {
    readonly attribute: string;
    readonly is: "equal";
    readonly value: Attribute;
};

export type InitialPositionOption = "TRIM_HORIZON" | "LATEST" | Date;

export type JointOutcome = WriteOutcome
 | {
    readonly ok: false;
    readonly reason: "rejected";
    readonly error: Error;
};

export type ReadOutcome<T> = {
    readonly ok: true;
    readonly value: T;
    readonly units?: number | undefined;
} | TableFailure;

export type Row = Readonly<Record<string, Attribute>>;

export type WriteOutcome = {
    readonly ok: true;
    readonly row?: Row | undefined;
    readonly units?: number | undefined;
} | {
    readonly ok: false;
    readonly reason: "condition-failed";
    readonly row?: Row | undefined;
} | TableFailure;
