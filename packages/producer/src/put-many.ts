/**
 * Driver. Puts whole sources of records: pulls only when there is room, and never runs ahead without bound.
 */
import type { UserRecord } from "@millrace/aggregation";
import { ConfigError } from "@millrace/core/options";
import type { PutResult } from "./attempt.ts";
import { PutAllError, PutError } from "./errors.ts";
import { Fifo } from "./pipeline/fifo.ts";
import type { PendingRecord } from "./pipeline/records.ts";

/** Records to put: an array, a generator, a stream in object mode, anything that can be iterated over. */
export type RecordSource = Iterable<UserRecord> | AsyncIterable<UserRecord>;

/** What became of one record of `putEach`. */
export type PutOutcome =
  | { readonly ok: true; readonly record: UserRecord; readonly result: PutResult }
  | { readonly ok: false; readonly record: UserRecord; readonly error: PutError };

/** Where records go. */
export interface RecordSink {
  hasRoom(): boolean;
  ready(signal: AbortSignal | undefined): Promise<void>;
  /** Takes a record while there is room. Throws a PutError for a record that breaks a rule. */
  accept(record: UserRecord, resolve: (result: PutResult) => void, reject: (error: unknown) => void): PendingRecord;
  withdraw(pending: PendingRecord, reason: unknown): void;
}

/** Failures that a PutAllError lists. */
const maxListedErrors = 10;
/** Outcomes of `putEach` that may wait for its reader, together with records that wait for theirs. */
const maxAheadRecords = 10_000;

const doNothing = () => {};

type RecordIterator = Iterator<UserRecord> | AsyncIterator<UserRecord>;

function iteratorOf(records: RecordSource): RecordIterator {
  const source = records as Partial<AsyncIterable<UserRecord> & Iterable<UserRecord>> | null | undefined;
  const iterator =
    typeof source === "object" && source !== null
      ? (source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.())
      : undefined;
  if (iterator === undefined) {
    throw new ConfigError({ path: "records", got: records, expected: "an iterable or async iterable of user records" });
  }
  return iterator;
}

/** Puts everything; see `Producer.putAll`. */
export async function putAll(
  sink: RecordSink,
  records: RecordSource,
  signal: AbortSignal | undefined,
): Promise<{ stored: number }> {
  signal?.throwIfAborted();
  const iterator = iteratorOf(records);
  const counts = { stored: 0, failed: 0, pulled: 0 };
  const errors: Error[] = [];
  const open = new Set<PendingRecord>();
  let onSettled = doNothing;
  const onStored = () => {
    counts.stored += 1;
    onSettled();
  };
  const onFailed = (error: unknown) => {
    counts.failed += 1;
    if (errors.length < maxListedErrors) errors.push(error instanceof Error ? error : new Error(String(error)));
    onSettled();
  };
  const accept = (record: UserRecord) => {
    counts.pulled += 1;
    try {
      if (signal === undefined) {
        sink.accept(record, onStored, onFailed);
        return;
      }
      // Only a caller who may withdraw records needs them remembered.
      const pending: PendingRecord = sink.accept(
        record,
        () => (open.delete(pending), onStored()),
        (error) => (open.delete(pending), onFailed(error)),
      );
      open.add(pending);
    } catch (error) {
      onFailed(error);
      if (!(error instanceof PutError)) throw error;
    }
  };
  const onAbort = () => {
    for (const pending of open) sink.withdraw(pending, signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  let sourceFailure: { readonly error: unknown } | undefined;
  try {
    await pull(sink, iterator, accept, signal);
  } catch (error) {
    sourceFailure = { error };
  }
  if (counts.stored + counts.failed < counts.pulled) {
    await new Promise<void>((resolve) => {
      onSettled = () => {
        if (counts.stored + counts.failed === counts.pulled) resolve();
      };
    });
  }
  signal?.removeEventListener("abort", onAbort);
  signal?.throwIfAborted();
  if (sourceFailure !== undefined) throw new PutAllError({ ...counts, errors, cause: sourceFailure.error });
  if (counts.failed > 0) throw new PutAllError({ ...counts, errors });
  return { stored: counts.stored };
}

/** Pulls records while there is room, until the source ends or the signal aborts. */
async function pull(
  sink: RecordSink,
  iterator: RecordIterator,
  accept: (record: UserRecord) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let ended = false;
  try {
    for (;;) {
      if (signal?.aborted === true) return;
      if (!sink.hasRoom()) {
        await sink.ready(signal);
        continue;
      }
      const step = iterator.next();
      // Awaiting what is no promise would cost a turn for every record of an array.
      const { done, value } = step instanceof Promise ? await step : step;
      if (done === true) {
        ended = true;
        return;
      }
      // Another caller may have taken the room while an asynchronous source was thinking.
      while (!sink.hasRoom()) await sink.ready(signal);
      signal?.throwIfAborted();
      accept(value);
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}

interface Slot {
  readonly record: UserRecord;
  outcome: PutOutcome | undefined;
}

/** Puts everything and gives each outcome in the source's order; see `Producer.putEach`. */
export async function* putEach(sink: RecordSink, records: RecordSource): AsyncGenerator<PutOutcome, void, undefined> {
  const iterator = iteratorOf(records);
  const slots = new Fifo<Slot>();
  const stop = new AbortController();
  let wake = doNothing;
  let space = doNothing;
  const accept = (record: UserRecord) => {
    const slot: Slot = { record, outcome: undefined };
    slots.push(slot);
    const onFailed = (error: unknown) => {
      slot.outcome = { ok: false, record, error: error as PutError };
      wake();
    };
    try {
      sink.accept(
        record,
        (result) => {
          slot.outcome = { ok: true, record, result };
          wake();
        },
        onFailed,
      );
    } catch (error) {
      onFailed(error);
      if (!(error instanceof PutError)) throw error;
    }
  };
  // The reader of outcomes bounds the pulling just as the buffer does.
  const bounded: RecordSink = {
    ...sink,
    hasRoom: () => slots.length < maxAheadRecords && sink.hasRoom(),
    ready: async (signal) => {
      if (slots.length >= maxAheadRecords) await new Promise<void>((resolve) => (space = resolve));
      else await sink.ready(signal);
    },
  };
  let filled: { readonly error?: unknown } | undefined;
  const filling = pull(bounded, iterator, accept, stop.signal).then(
    () => (filled = {}),
    (error: unknown) => (filled = { error }),
  );
  void filling.then(() => wake());
  try {
    for (;;) {
      const head = slots.peek();
      if (head?.outcome !== undefined) {
        slots.shift();
        space();
        yield head.outcome;
      } else if (head === undefined && filled !== undefined) {
        break;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    stop.abort();
    space();
  }
  if (filled.error !== undefined) throw filled.error;
}
