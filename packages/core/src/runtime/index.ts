export { backoffMs } from "./backoff.ts";
export type { Backoff } from "./backoff.ts";
export { SerialLoop } from "./serial-loop.ts";
export type { SerialLoopOptions } from "./serial-loop.ts";
export { realSystem, sleep } from "./system.ts";
export type { System, Timer } from "./system.ts";
export { createTokenBucket, spendTokens, tokensAt, waitForTokensMs, withRate } from "./token-bucket.ts";
export type { TokenBucket } from "./token-bucket.ts";
