/**
 * Pure. What a failed call to DynamoDB means for a row: certainly not written, perhaps written, or never going to be.
 *
 * Source of the codes: the declared errors of each action in the type docs of `@aws-sdk/client-dynamodb` 3.1143.0,
 * and AWS's list of errors common to all actions.
 */
import type { JointOutcome, TableFailure } from "../leases/lease-table.ts";
import type { Row } from "../leases/table-row.ts";

const throttles = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "LimitExceededException",
  "TransactionConflictException",
  "TransactionInProgressException",
  "ReplicatedWriteConflictException",
]);

// The clock of this host or the credentials were off; the SDK corrects the first and refreshes the second.
const passing = new Set([
  "ExpiredTokenException",
  "ExpiredToken",
  "RequestTimeTooSkewed",
  "RequestExpired",
  "CredentialsProviderError",
]);

/** The failure as a value. Without an answer, or with 5xx, a write may have been done. */
export function tableFailure(thrown: unknown): TableFailure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  // The SDK's words for a client without Region: nothing was sent, and nothing will be.
  if (status === undefined && error.message === "Region is missing") return { ok: false, reason: "refused", error };
  if (throttles.has(error.name) || status === 429) return { ok: false, reason: "throttled", error };
  if (passing.has(error.name) || status === undefined || status >= 500) return { ok: false, reason: "unknown", error };
  return { ok: false, reason: "refused", error };
}

interface CancellationReason {
  readonly Code?: string | undefined;
  readonly Item?: Row | undefined;
}

/**
 * What a cancelled transaction means, whose first action is ours; undefined for another failure. A conflict with another
 * transaction or a throttle may be tried again; a refusal of the application's own action may not.
 */
export function cancellation(thrown: unknown): JointOutcome | undefined {
  const { CancellationReasons: reasons } = thrown as { CancellationReasons?: readonly CancellationReason[] };
  if (!(thrown instanceof Error) || thrown.name !== "TransactionCanceledException" || reasons === undefined) {
    return undefined;
  }
  const [own, ...others] = reasons;
  if (own?.Code === "ConditionalCheckFailed") return { ok: false, reason: "condition-failed", row: own.Item };
  const isRefused = others.some(({ Code = "None" }) => Code !== "None" && !passingReasons.has(Code));
  return { ok: false, reason: isRefused ? "rejected" : "throttled", error: thrown };
}

/** Source: type docs of TransactionCanceledException, `@aws-sdk/client-dynamodb` 3.1143.0. */
const passingReasons = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);
