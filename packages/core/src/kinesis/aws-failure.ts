/**
 * Pure. What the SDK threw, as a failure that decisions can look at.
 */
import { classifyFailure, KinesisError } from "./errors.ts";

/** Codes of failures that happen before a byte of the request has left. */
const beforeSending = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "CredentialsProviderError",
  "TokenProviderError",
  "RegionMissing",
  "ERR_INVALID_URL",
]);

/** What went wrong, from whatever the SDK threw. */
export function kinesisErrorFrom(error: unknown, signal: AbortSignal | undefined): KinesisError {
  const fields = (typeof error === "object" && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: number };
  };
  const httpStatus = fields.$metadata?.httpStatusCode;
  const name = typeof fields.name === "string" ? fields.name : "Error";
  // Network errors of Node have a plain name and say what happened in their code.
  const isPlain = name === "Error" || name === "TypeError";
  // The SDK has no name for a client without a region.
  const isRegionMissing = isPlain && fields.message === "Region is missing";
  const code = isRegionMissing ? "RegionMissing" : isPlain && typeof fields.code === "string" ? fields.code : name;
  const aborted = signal?.aborted === true && (name === "AbortError" || error === signal.reason);
  const refused = httpStatus !== undefined && httpStatus >= 300 && httpStatus < 500;
  return new KinesisError({
    code,
    message: typeof fields.message === "string" && fields.message !== "" ? fields.message : code,
    kind: aborted ? "aborted" : classifyFailure(code, httpStatus),
    httpStatus,
    mayHaveTakenEffect: !refused && !beforeSending.has(code),
    cause: error,
  });
}
