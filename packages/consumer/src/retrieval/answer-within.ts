/**
 * Driver. A call to Kinesis with a deadline of its own.
 *
 * The SDK waits for an answer for ever where the user's client sets no time-out, and so would the shard on a connection
 * that is half open.
 */
import { KinesisError, type Answer, type FailureKind } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";

/** Source: kcl.md 5.1, the time-out of a request: 30 s. */
export const answerLimitMs = 30_000;

/**
 * The answer to `call`, or a failure that passes once it has taken `answerLimitMs`. `abort` ends the call, at the latest
 * then; a call that does not heed it is not waited for.
 */
export function answerWithin<T>(
  system: System,
  abort: AbortController,
  call: (signal: AbortSignal) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const { signal } = abort;
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve(failure("AbortError", "the call was ended", "aborted"));
    signal.addEventListener("abort", aborted, { once: true });
    const timer = system.schedule(answerLimitMs, () => {
      resolve(failure("TimeoutError", `no answer within ${answerLimitMs} ms`, "transient"));
      abort.abort();
    });
    call(signal)
      .then(resolve, reject)
      .finally(() => {
        timer.cancel();
        signal.removeEventListener("abort", aborted);
      });
  });
}

function failure(
  code: string,
  message: string,
  kind: FailureKind,
): { readonly ok: false; readonly error: KinesisError } {
  return { ok: false, error: new KinesisError({ code, message, kind, mayHaveTakenEffect: true }) };
}
