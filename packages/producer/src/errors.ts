/**
 * Pure. The errors a producer gives to its caller: one class for each decision a caller can make.
 *
 * Every class carries a `Symbol.for` brand, so that `instanceof` holds across two copies of the package.
 */
import { describe, isBranded } from "@millrace/core/options";
import type { Attempt } from "./attempt.ts";

/**
 * What a failed put says about other records:
 * - `record`: this record can never be stored; others can. Drop it or set it aside.
 * - `stream`: nothing can be stored until somebody changes the stream, its permissions or its keys.
 * - `lifetime`: Kinesis did not take the record in the time it had; putting it again may succeed.
 */
export type PutErrorScope = "record" | "stream" | "lifetime";

const putErrorBrand = Symbol.for("millrace.PutError");
const recordErrorBrand = Symbol.for("millrace.RecordError");
const recordTooLargeBrand = Symbol.for("millrace.RecordTooLargeError");
const bufferFullBrand = Symbol.for("millrace.BufferFullError");
const producerClosedBrand = Symbol.for("millrace.ProducerClosedError");
const putAllBrand = Symbol.for("millrace.PutAllError");

/** What a PutError is made of. */
export interface PutErrorFields {
  readonly code: string;
  readonly message: string;
  readonly scope: PutErrorScope;
  readonly attempts: readonly Attempt[];
  readonly retryable: boolean;
  readonly mayHaveBeenStored?: boolean | undefined;
  readonly cause?: unknown;
}

/** A record that was not stored, or not known to be. */
export class PutError extends Error {
  override readonly name: string = "PutError";
  /** The service's own error name (`ResourceNotFoundException`); `Expired` when the record's lifetime ended first. */
  readonly code: string;
  readonly scope: PutErrorScope;
  /** Every request this record was in, oldest first. */
  readonly attempts: readonly Attempt[];
  /** True when the same put may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** True when the answer to a request was lost, so that the record may be in the stream all the same. */
  readonly mayHaveBeenStored: boolean;
  readonly [putErrorBrand] = true;

  constructor(fields: PutErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.scope = fields.scope;
    this.attempts = fields.attempts;
    this.retryable = fields.retryable;
    this.mayHaveBeenStored = fields.mayHaveBeenStored ?? false;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, putErrorBrand);
  }
}

/** A record that breaks a rule of Kinesis: it was refused before anything was sent. */
export class RecordError extends PutError {
  override readonly name: string = "RecordError";
  /** The field: `partitionKey`, `explicitHashKey`, `data`, `tags`. */
  readonly path: string;
  readonly got: string;
  readonly expected: string;
  readonly [recordErrorBrand] = true;

  constructor(fields: { path: string; got: unknown; expected: string; code?: string | undefined }) {
    const got = describe(fields.got);
    super({
      code: fields.code ?? "ERR_RECORD",
      message: `${fields.path}: expected ${fields.expected}, got ${got}.`,
      scope: "record",
      attempts: [],
      retryable: false,
    });
    this.path = fields.path;
    this.got = got;
    this.expected = fields.expected;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, recordErrorBrand);
  }
}

/** A record whose data and partition key, with its tags where it has some, are larger than the stream takes. */
export class RecordTooLargeError extends RecordError {
  override readonly name = "RecordTooLargeError";
  readonly sizeBytes: number;
  readonly maxBytes: number;
  readonly [recordTooLargeBrand] = true;

  constructor(sizeBytes: number, maxBytes: number) {
    super({
      path: "data",
      got: sizeBytes,
      expected: `data and partition key of at most ${maxBytes} bytes together`,
      code: "ERR_RECORD_TOO_LARGE",
    });
    this.sizeBytes = sizeBytes;
    this.maxBytes = maxBytes;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, recordTooLargeBrand);
  }
}

/** A put that found the buffer and the queue of waiting puts full. Wait for `ready()`, then put again. */
export class BufferFullError extends Error {
  override readonly name = "BufferFullError";
  readonly code = "ERR_BUFFER_FULL";
  readonly retryable = true;
  readonly [bufferFullBrand] = true;

  constructor(waitingRecords: number) {
    super(
      `The buffer is full and ${waitingRecords} puts wait for room already. ` +
        "Await put() or ready(), use putAll(), or raise maxBufferedBytes, maxBufferedRecords or maxWaitingRecords.",
    );
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, bufferFullBrand);
  }
}

/** A call on a producer after `close()`. */
export class ProducerClosedError extends Error {
  override readonly name = "ProducerClosedError";
  readonly code = "ERR_PRODUCER_CLOSED";
  readonly retryable = false;
  readonly [producerClosedBrand] = true;

  constructor() {
    super("The producer has been closed; it takes no more records.");
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, producerClosedBrand);
  }
}

/** What `putAll` rejects with when not every record was stored. By then every record it pulled has settled. */
export class PutAllError extends Error {
  override readonly name = "PutAllError";
  readonly code = "ERR_PUT_ALL";
  /** Records that Kinesis stored. */
  readonly stored: number;
  /** Records that failed. */
  readonly failed: number;
  /** The first failures, at most 10. */
  readonly errors: readonly Error[];
  readonly [putAllBrand] = true;

  constructor(fields: { stored: number; failed: number; errors: readonly Error[]; cause?: unknown }) {
    const first = fields.errors[0];
    const reason =
      first === undefined ? "the source of records failed" : `first failure: ${first.name}: ${first.message}`;
    super(`${fields.failed} of ${fields.stored + fields.failed} records were not stored; ${reason}`, {
      cause: fields.cause ?? first,
    });
    this.stored = fields.stored;
    this.failed = fields.failed;
    this.errors = fields.errors;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isBranded(value, putAllBrand);
  }
}
