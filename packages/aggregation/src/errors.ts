/**
 * Pure. The errors of this package: a bad argument, and an aggregate that the caller asked to fail on.
 *
 * No error text carries payload: a value is named by its type and, where that is short and cannot be data, its content.
 */

const invalidRecordBrand = Symbol.for("millrace.InvalidRecordError");
const deaggregationBrand = Symbol.for("millrace.DeaggregationError");

function isBranded(value: unknown, brand: symbol): boolean {
  return typeof value === "object" && value !== null && brand in value;
}

/** Names a value in an error text: its type, and its content where that is short. Never used for data. */
function describe(value: unknown): string {
  if (typeof value === "string") {
    return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value === "undefined" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** A record or an option that cannot be used: `path` names it, `got` and `expected` say why. Trying again will not help. */
export class InvalidRecordError extends Error {
  override readonly name = "InvalidRecordError";
  readonly code = "ERR_INVALID_RECORD";
  readonly retryable = false;
  /** The field that is wrong: `partitionKey`, `tags["trace"]`, `maxBytes`. */
  readonly path: string;
  /** What came, by type, with its content where that is short. */
  readonly got: string;
  readonly expected: string;
  readonly [invalidRecordBrand] = true;

  constructor(fields: { readonly path: string; readonly got: unknown; readonly expected: string }) {
    const got = describe(fields.got);
    super(`${fields.path}: expected ${fields.expected}, got ${got}`);
    this.path = fields.path;
    this.got = got;
    this.expected = fields.expected;
  }

  /** Recognises an InvalidRecordError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, invalidRecordBrand);
  }
}

/** What can be wrong with an aggregate, in words. */
export type DeaggregationReason = "bad-digest" | "unparsable" | "bad-index" | "out-of-range" | "bad-compression";

const reasonTexts: Readonly<Record<DeaggregationReason, string>> = {
  "bad-digest": "its MD5 digest does not match its bytes",
  unparsable: "its bytes are no aggregated record although their digest matches",
  "bad-index": "a user record names an entry that its key table does not have",
  "out-of-range": "a user record's hash key lies outside the shard's range",
  "bad-compression":
    "it is compressed, and cannot be opened here: damaged, too large, or by an algorithm that is missing",
};

/** Thrown by `deaggregate` for a defect whose outcome the caller set to "fail". */
export class DeaggregationError extends Error {
  override readonly name = "DeaggregationError";
  readonly code = "ERR_DEAGGREGATION";
  readonly retryable = false;
  readonly reason: DeaggregationReason;
  /** Sequence number of the Kinesis record. */
  readonly sequenceNumber: string;
  /** Which user record inside it, where the defect is of one user record. */
  readonly subSequenceNumber: number | undefined;
  readonly [deaggregationBrand] = true;

  constructor(reason: DeaggregationReason, sequenceNumber: string, subSequenceNumber?: number) {
    const place = subSequenceNumber === undefined ? "" : ` at sub-sequence number ${subSequenceNumber}`;
    super(`Aggregate ${sequenceNumber}${place}: ${reasonTexts[reason]}.`);
    this.reason = reason;
    this.sequenceNumber = sequenceNumber;
    this.subSequenceNumber = subSequenceNumber;
  }

  /** Recognises a DeaggregationError of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, deaggregationBrand);
  }
}
