/**
 * Driver. A call to the lease table with a deadline of its own.
 *
 * The SDK's time-outs belong to the user's client and may be longer than a lease lives.
 */
import type { System } from "@millrace/core/runtime";
import type { TableFailure } from "./lease-table.ts";

/**
 * The outcome of `call`, or `unknown` after `limitMs`: the call may then still be done later, and whoever asked must
 * read to know. The signal given to the call aborts at the deadline, but an implementation that ignores it is not waited for.
 */
export function callWithin<T>(
  system: System,
  limitMs: number,
  call: (signal: AbortSignal) => Promise<T | TableFailure>,
): Promise<T | TableFailure> {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = system.schedule(limitMs, () => {
      const error = new Error(`no answer within ${limitMs} ms`);
      abort.abort(error);
      resolve({ ok: false, reason: "unknown", error });
    });
    call(abort.signal)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}
