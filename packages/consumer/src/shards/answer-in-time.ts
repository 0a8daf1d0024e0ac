/**
 * Driver. A call about a stream that ends with a signal or its own limit, whatever the connection does: a leader that waited
 * for one would assign nothing meanwhile.
 */
import type { Answer } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import { answerWithin } from "../retrieval/answer-within.ts";

/** The answer, or a failure that passes. */
export async function answerInTime<T>(
  system: System,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const own = new AbortController();
  const end = (): void => own.abort(signal?.reason);
  if (signal?.aborted === true) end();
  else signal?.addEventListener("abort", end, { once: true });
  try {
    return await answerWithin(system, own, call);
  } finally {
    signal?.removeEventListener("abort", end);
  }
}
