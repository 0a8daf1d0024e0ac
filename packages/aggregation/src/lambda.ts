/**
 * Driver. Handlers for AWS Lambda functions that a Kinesis stream invokes: one user record at a time, in order, with
 * failures reported so that Lambda goes on behind what is done.
 *
 * Source: AWS Lambda developer guide, "Configuring partial batch response with Kinesis Data Streams and Lambda" and
 * "Implementing stateful Kinesis Data Streams processing in Lambda", read November 2026.
 */
import type {
  Context,
  KinesisStreamBatchResponse,
  KinesisStreamEvent,
  KinesisStreamHandler,
  KinesisStreamTumblingWindowEvent,
  KinesisStreamTumblingWindowHandler,
} from "aws-lambda";
import { readRules } from "./deaggregate-options.ts";
import type { DeaggregateOptions } from "./deaggregate-options.ts";
import { deaggregateLazily } from "./deaggregate.ts";
import { InvalidRecordError } from "./errors.ts";
import type { UserRecordView } from "./record.ts";

/** Options of `kinesisHandler` and `kinesisWindowHandler`; those of `deaggregate` apply as well. */
export interface KinesisHandlerOptions extends Omit<DeaggregateOptions, "maxRecords"> {
  /**
   * What a failed user record does. "report" tells Lambda the sequence number of its Kinesis record: Lambda keeps what is
   * done before it and retries from there. "throw" fails the invocation: Lambda retries the whole batch.
   *
   * **"report" needs `ReportBatchItemFailures` in the event source mapping's `FunctionResponseTypes`. Without it Lambda
   * ignores the report and takes the batch for done: the failed record and all behind it are lost.**
   * @default "report"
   */
  readonly onFailure?: "report" | "throw" | undefined;
  /**
   * Called with what a handler threw, before it is reported: Lambda itself sees only the sequence number. The record is
   * undefined when the Kinesis record could not be unpacked. Not called where `onFailure` is "throw".
   * @default prints the error and where it happened with console.error; never the data
   */
  readonly onError?: ((error: unknown, record: UserRecordView | undefined) => void) | undefined;
}

/** The time that a tumbling window spans. */
export interface KinesisWindow {
  readonly start: Date;
  readonly end: Date;
  /** True when Lambda closed it before its time, since its state had grown past 1 MB. */
  readonly isTerminatedEarly: boolean;
}

/** What `kinesisWindowHandler` does with the user records of a window. */
export interface WindowOptions<State extends Record<string, unknown>> extends KinesisHandlerOptions {
  /** The state of a window that has just begun. */
  initialState(): State;
  /**
   * Takes one user record into the state and answers the new one, which must be JSON and under 1 MB. Must not change the
   * state it was given: a failure within an aggregate goes back to the state before that aggregate.
   */
  add(state: State, record: UserRecordView, context: Context): State | Promise<State>;
  /** Called once a window has ended. When it throws, Lambda calls it again with the same state. */
  finish(state: State, window: KinesisWindow, context: Context): void | Promise<void>;
}

/**
 * A Lambda handler that calls `handler` for each user record, one at a time, in the shard's order, aggregates unpacked.
 *
 * The first failure ends the invocation, since what follows must not overtake it, and is reported (`onFailure`). Lambda
 * repeats Kinesis records as a whole: the user records in front of the failed one in the same aggregate come again, with
 * the same `sequenceNumber` and `subSequenceNumber`.
 *
 *     export const handler = kinesisHandler(async (record) => {
 *       await store(JSON.parse(Buffer.from(record.data).toString()));
 *     });
 *
 * **The event source mapping must have `ReportBatchItemFailures` on, or failed records are lost** (see `onFailure`).
 *
 * In a mapping with a tumbling window the state passes through unchanged; `kinesisWindowHandler` keeps one.
 */
export function kinesisHandler(
  handler: (record: UserRecordView, context: Context) => Promise<void>,
  options: KinesisHandlerOptions = {},
): KinesisStreamHandler {
  checkFunction("handler", handler);
  checkOptions(options);
  return async (event: KinesisStreamEvent | KinesisStreamTumblingWindowEvent, context) => {
    const failed = await forEachRecord(event, options, { each: (record) => handler(record, context) });
    const response = respond(failed);
    // With a tumbling window Lambda takes an answer without a state for a failed invocation.
    return "window" in event ? { ...response, state: event.state ?? {} } : response;
  };
}

/**
 * A Lambda handler for a mapping with a tumbling window: it reduces the user records of each window to a state, which
 * Lambda carries from invocation to invocation, and hands the last one to `finish`.
 *
 * A failure is reported like in `kinesisHandler`, together with the state before the failed Kinesis record: the aggregate
 * that Lambda repeats is not counted twice.
 */
export function kinesisWindowHandler<State extends Record<string, unknown>>(
  options: WindowOptions<State>,
): KinesisStreamTumblingWindowHandler {
  checkOptions(options);
  for (const name of ["initialState", "add", "finish"] as const) checkFunction(name, options[name]);
  return async (event, context) => {
    checkWindow(event);
    const isNew = event.state === undefined || Object.keys(event.state).length === 0;
    let state = isNew ? options.initialState() : (event.state as State);
    let stateBefore = state;
    const failed = await forEachRecord(event, options, {
      begin: () => {
        stateBefore = state;
      },
      each: async (record) => {
        state = await options.add(state, record, context);
      },
    });
    if (failed !== undefined) return { ...respond(failed), state: stateBefore };
    if (event.isFinalInvokeForWindow) {
      const { window, isWindowTerminatedEarly } = event;
      const ended = { start: new Date(window.start), end: new Date(window.end) };
      await options.finish(state, { ...ended, isTerminatedEarly: isWindowTerminatedEarly }, context);
    }
    return { ...respond(undefined), state };
  };
}

interface Steps {
  /** Called before each Kinesis record. */
  readonly begin?: () => void;
  readonly each: (record: UserRecordView) => Promise<void>;
}

/** Calls `each` for every user record until one fails. Resolves with the sequence number of the failed one's record. */
async function forEachRecord(
  event: KinesisStreamEvent,
  options: KinesisHandlerOptions,
  { begin, each }: Steps,
): Promise<string | undefined> {
  for (const kinesisRecord of readRecords(event)) {
    let current: UserRecordView | undefined;
    begin?.();
    try {
      for (const slice of deaggregateLazily(kinesisRecord, options)) {
        for (const record of slice) {
          current = record;
          await each(record);
        }
        current = undefined;
      }
    } catch (error) {
      if (options.onFailure === "throw") throw error;
      const { sequenceNumber } = kinesisRecord.kinesis;
      (options.onError ?? printError)(error, current);
      warnOnce();
      return sequenceNumber;
    }
  }
  return undefined;
}

function respond(failed: string | undefined): KinesisStreamBatchResponse {
  // Lambda retries from the lowest sequence number that is listed; one is all it needs.
  return { batchItemFailures: failed === undefined ? [] : [{ itemIdentifier: failed }] };
}

function printError(error: unknown, record: UserRecordView | undefined): void {
  const place =
    record === undefined ? "" : ` ${record.sequenceNumber}, sub-sequence number ${record.subSequenceNumber},`;
  console.error(`Kinesis record${place} failed and is reported to Lambda for a retry:`, error);
}

let hasWarned = false;

/** Says once per process what the first report depends on: Lambda gives a function no way to find out. */
function warnOnce(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    "A failed record was reported to Lambda. Unless the event source mapping has ReportBatchItemFailures in its " +
      "FunctionResponseTypes, Lambda ignores the report and the record is lost.",
    { type: "MillraceWarning", code: "MILLRACE_REPORT_BATCH_ITEM_FAILURES" },
  );
}

/** The records of an event, looked at before the first is handled: a bad event is no record's failure. */
function readRecords(event: KinesisStreamEvent): KinesisStreamEvent["Records"] {
  const records: unknown = (event as Partial<KinesisStreamEvent> | undefined)?.Records;
  if (!Array.isArray(records)) {
    throw new InvalidRecordError({ path: "event.Records", got: records, expected: "the records of a Kinesis event" });
  }
  for (const [index, record] of (records as Partial<KinesisStreamEvent["Records"][number]>[]).entries()) {
    const payload: Partial<KinesisStreamEvent["Records"][number]["kinesis"]> | undefined = record.kinesis;
    if (typeof payload?.data === "string" && typeof payload.sequenceNumber === "string") continue;
    throw new InvalidRecordError({
      path: `event.Records[${index}].kinesis`,
      got: payload,
      expected: "a Kinesis record with data and sequenceNumber; is this function invoked by a Kinesis stream?",
    });
  }
  return records as KinesisStreamEvent["Records"];
}

function checkWindow(event: KinesisStreamTumblingWindowEvent): void {
  const window: unknown = (event as Partial<KinesisStreamTumblingWindowEvent> | undefined)?.window;
  if (typeof window === "object" && window !== null) return;
  throw new InvalidRecordError({
    path: "event.window",
    got: window,
    expected: "a tumbling window; set TumblingWindowInSeconds in the event source mapping, or use kinesisHandler",
  });
}

function checkOptions(options: KinesisHandlerOptions): void {
  readRules(options);
  const { onFailure, onError } = options;
  if (onFailure !== undefined && onFailure !== "report" && onFailure !== "throw") {
    throw new InvalidRecordError({ path: "onFailure", got: onFailure, expected: '"report" or "throw"' });
  }
  if (onError !== undefined) checkFunction("onError", onError);
}

function checkFunction(path: string, value: unknown): void {
  if (typeof value !== "function") throw new InvalidRecordError({ path, got: value, expected: "a function" });
}
