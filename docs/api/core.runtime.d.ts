// @millrace/core/runtime

export interface Backoff {
    readonly initialMs: number;
    readonly maxMs: number;
}

export declare class SerialLoop {
    #private;
    constructor(options: SerialLoopOptions);
    wake(): void;
    stop(): Promise<void>;
}

export interface SerialLoopOptions {
    readonly system: System;
    readonly step: (signal: AbortSignal) => Promise<number>;
    readonly onCrash: (error: unknown) => void;
    readonly unref?: boolean | undefined;
}

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

export interface TokenBucket {
    readonly capacity: number;
    readonly perSecond: number;
    readonly tokens: number;
    readonly at: number;
}

export declare function backoffMs(backoff: Backoff, failures: number, random: number): number;

export declare function createTokenBucket(capacity: number, perSecond: number, now: number): TokenBucket;

export declare const realSystem: System;

export declare function sleep(system: System, delayMs: number, options?: {
    readonly signal?: AbortSignal | undefined;
    readonly unref?: boolean;
}): Promise<void>;

export declare function spendTokens(bucket: TokenBucket, cost: number, now: number): TokenBucket;

export declare function tokensAt(bucket: TokenBucket, now: number): number;

export declare function waitForTokensMs(bucket: TokenBucket, cost: number, now: number): number;

export declare function withRate(bucket: TokenBucket, capacity: number, perSecond: number, now: number): TokenBucket;
