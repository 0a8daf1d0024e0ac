// @millrace/core/options

export declare class ConfigError extends Error {
    readonly name = "ConfigError";
    readonly code = "ERR_CONFIG";
    readonly path: string;
    readonly got: string;
    readonly expected: string;
    readonly hint: string | undefined;
    readonly [brand] = true;
    constructor(fields: {
        path: string;
        got: unknown;
        expected: string;
        hint?: string | undefined;
    });
    static [Symbol.hasInstance](value: unknown): boolean;
}

export interface StreamArn {
    readonly region: string;
    readonly accountId: string;
    readonly streamName: string;
}

export declare function booleanOption(path: string, value: unknown, fallback: boolean): boolean;

export declare function checkOptionNames(owner: string, options: unknown, known: readonly string[]): void;

export declare function choiceOption<const T extends string>(path: string, value: unknown, choices: readonly T[], fallback: T): T;

export declare function clientOption<T extends object>(path: string, value: T | undefined, expected: string): T | undefined;

export declare function describe(value: unknown): string;

export declare function functionOption<T extends (...args: never[]) => unknown>(path: string, value: T | undefined): T | undefined;

export declare function integerOption(path: string, value: unknown, bounds: {
    readonly min: number;
    readonly max: number;
    readonly fallback: number;
    readonly hint?: string;
}): number;

export declare function isBranded(value: unknown, brand: symbol): boolean;

export declare function nearestName(name: string, known: readonly string[]): string | undefined;

export declare function parseStreamArn(text: string): StreamArn | undefined;

export declare function signalOption(path: string, value: unknown): AbortSignal | undefined;

export declare function streamOption(options: StreamRef, where?: string): StreamRef & {
    readonly streamName: string;
};

export declare function textOption(path: string, value: unknown): string | undefined;

// Named above, not exported:

declare const brand: unique symbol;

export interface StreamRef {
    readonly streamName?: string | undefined;
    readonly streamArn?: string | undefined;
}
