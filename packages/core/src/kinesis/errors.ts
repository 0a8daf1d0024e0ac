/**
 * Pure. What a failed call to Kinesis means: may it be tried again, how, and could it have taken effect?
 *
 * Source of the codes: the declared errors of each action in the type docs of `@aws-sdk/client-kinesis` 3.1143.0,
 * and AWS's list of errors common to all actions.
 */

/**
 * How a failed call may be treated:
 * - `throttle`: asked too fast; try again later, slower.
 * - `transient`: a fault of the service or the network; try again with backoff.
 * - `permanent`: the same call will fail again until somebody changes something.
 * - `aborted`: the caller's own signal ended it.
 */
export type FailureKind = "throttle" | "transient" | "permanent" | "aborted";

/** A failed call to Kinesis. Returned as a value by the port, so that a decision can look at it. */
export class KinesisError extends Error {
  override readonly name = "KinesisError";
  /** The service's own error name (`ResourceNotFoundException`), or the system's (`ECONNRESET`) when none came back. */
  readonly code: string;
  readonly kind: FailureKind;
  /** HTTP status, where an answer came back. */
  readonly httpStatus: number | undefined;
  /** True unless it is certain that the service did nothing: a write with this outcome may have been stored. */
  readonly mayHaveTakenEffect: boolean;

  constructor(fields: {
    code: string;
    message: string;
    kind: FailureKind;
    httpStatus?: number | undefined;
    mayHaveTakenEffect: boolean;
    cause?: unknown;
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.kind = fields.kind;
    this.httpStatus = fields.httpStatus;
    this.mayHaveTakenEffect = fields.mayHaveTakenEffect;
  }
}

const throttles = new Set([
  "ProvisionedThroughputExceededException",
  "LimitExceededException",
  "KMSThrottlingException",
  "ThrottlingException",
  "Throttling",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "SlowDown",
]);

const transients = new Set([
  "InternalFailure",
  "InternalFailureException",
  "InternalServerError",
  "ServiceUnavailable",
  "ServiceUnavailableException",
  "RequestTimeout",
  "RequestTimeoutException",
  "TimeoutError",
  // The clock of this host or the credentials were off; the SDK corrects the first and refreshes the second.
  "RequestTimeTooSkewed",
  "RequestExpired",
  "ExpiredTokenException",
  "ExpiredToken",
  "CredentialsProviderError",
]);

/** The client cannot send anything to anybody: no time mends its settings. */
const unusableClients = new Set(["RegionMissing", "ERR_INVALID_URL"]);

/**
 * Classifies a failed call. A code that is not known is judged by its status: 429 is a throttle, 5xx and no answer at
 * all are transient, any other is permanent.
 */
export function classifyFailure(code: string, httpStatus: number | undefined): Exclude<FailureKind, "aborted"> {
  if (throttles.has(code) || httpStatus === 429) return "throttle";
  if (transients.has(code)) return "transient";
  if (unusableClients.has(code)) return "permanent";
  // An answer that said yes and could not be read was damaged on its way.
  if (httpStatus === undefined || httpStatus >= 500 || httpStatus < 300) return "transient";
  // A proxy or load balancer on the way can answer 408 of its own.
  return httpStatus === 408 ? "transient" : "permanent";
}
