/**
 * Pure. A failure as the service answers it, and a failure of the way between the service and its caller.
 *
 * Source of the names and their status: type docs of `@aws-sdk/client-kinesis` 3.1143.0 (errors), and AWS's list of
 * errors common to all actions.
 */

/** The service refuses a call. `code` is the name that the SDK shows as `error.name`. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: string;
  /** HTTP status of the answer: 400 for nearly all, 500 and 503 for the service's own faults. */
  readonly statusCode: number;

  constructor(code: string, message: string, statusCode = 400) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
  }
}

/**
 * What goes wrong between the service and its caller; only a wire can show these.
 * - `reset`: the connection breaks without an answer.
 * - `raw-body`: an answer with `statusCode` whose `body` is not what the protocol says, as a proxy would send it.
 * - `truncate`: an event stream breaks off in the middle of a frame.
 */
export type WireFaultKind = "reset" | "raw-body" | "truncate";

/** Thrown by `execute` (and by an event stream) where a fault on the wire was ordered. */
export class WireFault extends Error {
  override readonly name = "WireFault";
  readonly kind: WireFaultKind;
  /** True when the service did what was asked and only its answer is lost. */
  readonly tookEffect: boolean;
  readonly statusCode: number;
  readonly body: string;

  constructor(fields: { kind: WireFaultKind; tookEffect: boolean; statusCode?: number; body?: string }) {
    super(`ordered fault: ${fields.kind}`);
    this.kind = fields.kind;
    this.tookEffect = fields.tookEffect;
    this.statusCode = fields.statusCode ?? 502;
    this.body = fields.body ?? "<html><body>502 Bad Gateway</body></html>";
  }
}
