// @millrace/consumer/testing

export declare class MemoryLeaseTable implements LeaseTable {
    #private;
    readonly name: string;
    readonly keyAttribute: string;
    constructor(options?: {
        readonly name?: string | undefined;
        readonly keyAttribute?: string | undefined;
    });
    get rows(): ReadonlyMap<string, Row>;
    open(): Promise<ReadOutcome<"created" | "existed">>;
    get(key: string): Promise<ReadOutcome<Row | undefined>>;
    put(row: Row, conditions: readonly Condition[]): Promise<WriteOutcome>;
    update(update: RowUpdate): Promise<WriteOutcome>;
    delete(key: string, conditions: readonly Condition[]): Promise<WriteOutcome>;
    scan(): Promise<ReadOutcome<readonly Row[]>>;
    keysOwnedBy(owner: string): Promise<ReadOutcome<readonly string[]>>;
}

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
