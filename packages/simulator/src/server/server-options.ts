/**
 * Pure. The server's options and what they default to.
 */
import { booleanOption, ConfigError, integerOption, textOption } from "@millrace/core/options";
import type { AccessKey } from "./signature.ts";

/** How the server listens. */
export interface ServerOptions {
  /** Address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** Port, 0 to 65,535; 0 takes a free one. @default 0 */
  readonly port?: number | undefined;
  /** True makes `endpoint` an https one. The port answers TLS and plain connections either way. @default false */
  readonly tls?: boolean | undefined;
  /** Keys that requests must be signed with. @default none: a signature must be there and may be anybody's */
  readonly accessKeys?: readonly AccessKey[] | undefined;
  /**
   * Largest request body in bytes; past it, the answer is 413. 1,024 to 268,435,456.
   * @default 16777216 (10 MiB of data as base64, with room)
   */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Bytes of all request bodies in memory at one time; past it, the answer is 503. 1,024 to 8,589,934,592.
   * @default 268435456
   */
  readonly maxBodiesBytes?: number | undefined;
  /** Longest wait for a whole request body, in milliseconds. 1 to 3,600,000. @default 60000 */
  readonly maxBodyMs?: number | undefined;
  /** Longest wait for a TLS handshake or a request's headers, in milliseconds. 1 to 3,600,000. @default 20000 */
  readonly maxHeadersMs?: number | undefined;
}

export interface ResolvedServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly accessKeys: readonly AccessKey[] | undefined;
  readonly maxBodyBytes: number;
  readonly maxBodiesBytes: number;
  readonly maxBodyMs: number;
  readonly maxHeadersMs: number;
}

/** Names of all options above. */
export const serverOptionNames: readonly (keyof ServerOptions)[] = [
  "host",
  "port",
  "tls",
  "accessKeys",
  "maxBodyBytes",
  "maxBodiesBytes",
  "maxBodyMs",
  "maxHeadersMs",
];

/**
 * Checks the options and fills the defaults.
 * @throws {ConfigError}
 */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  return {
    host: textOption("host", options.host) ?? "127.0.0.1",
    port: integerOption("port", options.port, { min: 0, max: 65_535, fallback: 0 }),
    tls: booleanOption("tls", options.tls, false),
    accessKeys: checkAccessKeys(options.accessKeys),
    maxBodyBytes: integerOption("maxBodyBytes", options.maxBodyBytes, {
      min: 1024,
      max: 268_435_456,
      fallback: 16_777_216,
    }),
    maxBodiesBytes: integerOption("maxBodiesBytes", options.maxBodiesBytes, {
      min: 1024,
      max: 8_589_934_592,
      fallback: 268_435_456,
    }),
    maxBodyMs: integerOption("maxBodyMs", options.maxBodyMs, { min: 1, max: 3_600_000, fallback: 60_000 }),
    maxHeadersMs: integerOption("maxHeadersMs", options.maxHeadersMs, { min: 1, max: 3_600_000, fallback: 20_000 }),
  };
}

function checkAccessKeys(keys: readonly AccessKey[] | undefined): readonly AccessKey[] | undefined {
  if (keys === undefined) return undefined;
  if (!Array.isArray(keys)) {
    throw new ConfigError({ path: "accessKeys", got: keys, expected: "an array of { accessKeyId, secretAccessKey }" });
  }
  for (const [index, key] of keys.entries()) {
    const { accessKeyId, secretAccessKey } = (key ?? {}) as Partial<AccessKey>;
    if (typeof accessKeyId === "string" && typeof secretAccessKey === "string") continue;
    // Says nothing of what came: it may be a secret.
    throw new ConfigError({
      path: `accessKeys[${index}]`,
      got: typeof key,
      expected: "an object with accessKeyId and secretAccessKey, both strings",
    });
  }
  return keys as readonly AccessKey[];
}
