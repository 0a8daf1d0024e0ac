/**
 * Pure. The simulator's options and what they default to.
 */
import { checkOptionNames, ConfigError, integerOption } from "@millrace/core/options";
import type { System } from "@millrace/core/runtime";
import { resolveLimits, type LimitOptions, type Limits } from "./limits.ts";
import type { Prices } from "./prices.ts";

/** How a simulator is set up; everything has a default. */
export interface SimulatorOptions {
  /**
   * Limits of the service: all on. `false` switches all off; an object switches single ones off (`false`) or gives
   * them another value. The names stand in `serviceLimits`.
   * @default all on
   */
  readonly limits?: LimitOptions | undefined;
  /** Account in every ARN, 12 digits. @default "123456789012" */
  readonly accountId?: string | undefined;
  /** Region in every ARN. @default "us-east-1" */
  readonly region?: string | undefined;
  /**
   * How long a stream stays in CREATING, UPDATING and DELETING after a call of the API, in milliseconds. The methods
   * of the simulator itself (`createStream`, `reshard`) take effect at once. 0 to 600,000.
   * @default 250
   */
  readonly transitionMs?: number | undefined;
  /**
   * Bytes of records that are kept, keys included. Past it the oldest records go before their retention ends, and the
   * process is warned once. At least 1,048,576.
   * @default 1073741824 (1 GiB)
   */
  readonly maxStoredBytes?: number | undefined;
  /**
   * A file that keeps streams, consumers and records over a restart: read at the start, written every second and by
   * `close`. It is made where it is not there; one process at a time has it. @default none: memory alone
   */
  readonly persistPath?: string | undefined;
  /** Time and chance: the platform's, or a host of a `Timeline`. @default the platform's */
  readonly system?: System | undefined;
  /** What the meter's bill is made with. @default listPrices */
  readonly prices?: Prices | undefined;
}

export interface ResolvedSimulatorOptions {
  readonly limits: Limits;
  readonly accountId: string;
  readonly region: string;
  readonly transitionMs: number;
  readonly maxStoredBytes: number;
  readonly persistPath: string | undefined;
}

const optionNames: readonly (keyof SimulatorOptions)[] = [
  "limits",
  "accountId",
  "region",
  "transitionMs",
  "maxStoredBytes",
  "persistPath",
  "system",
  "prices",
];

/**
 * Checks the options and fills the defaults.
 * @param more names of options that the caller checks itself.
 * @throws {ConfigError}
 */
export function resolveSimulatorOptions(
  options: SimulatorOptions,
  more: readonly string[] = [],
): ResolvedSimulatorOptions {
  checkOptionNames("options", options, [...optionNames, ...more]);
  const accountId = options.accountId ?? "123456789012";
  if (typeof accountId !== "string" || !/^\d{12}$/.test(accountId)) {
    throw new ConfigError({ path: "accountId", got: accountId, expected: "a string of 12 digits" });
  }
  const region = options.region ?? "us-east-1";
  if (typeof region !== "string" || !/^[a-z0-9-]+$/.test(region)) {
    throw new ConfigError({ path: "region", got: region, expected: "the name of a region, such as eu-west-1" });
  }
  const { persistPath } = options;
  if (persistPath !== undefined && (typeof persistPath !== "string" || persistPath === "")) {
    throw new ConfigError({ path: "persistPath", got: persistPath, expected: "the path of a file" });
  }
  return {
    persistPath,
    limits: resolveLimits(options.limits),
    accountId,
    region,
    transitionMs: integerOption("transitionMs", options.transitionMs, { min: 0, max: 600_000, fallback: 250 }),
    maxStoredBytes: integerOption("maxStoredBytes", options.maxStoredBytes, {
      min: 1_048_576,
      max: Number.MAX_SAFE_INTEGER,
      fallback: 1_073_741_824,
    }),
  };
}
