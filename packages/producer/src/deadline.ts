/**
 * Driver. One call to the service that settles by its deadline, even where what is under it does not.
 */
import { KinesisError, type Answer } from "@millrace/core/kinesis";
import { describeError } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";

/**
 * The call's answer, or a failure once `timeoutMs` have passed or `stop` aborts. Its signal ends the call in both
 * cases. Waiting for the call to notice would leave a put unsettled when it never does [C7].
 */
export function callWithDeadline<T>(
  system: System,
  timeoutMs: number,
  stop: AbortSignal,
  call: (signal: AbortSignal) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  if (stop.aborted) return Promise.resolve({ ok: false, error: stoppedError(stop.reason) });
  return new Promise((resolve) => {
    const controller = new AbortController();
    const settle = (answer: Answer<T>) => {
      timer.cancel();
      stop.removeEventListener("abort", onStop);
      resolve(answer);
    };
    const onStop = () => {
      settle({ ok: false, error: stoppedError(stop.reason) });
      controller.abort(stop.reason);
    };
    const timer = system.schedule(Math.ceil(timeoutMs), () => {
      settle({ ok: false, error: localError("RequestTimeout", `no answer within ${Math.ceil(timeoutMs)} ms`) });
      controller.abort(new DOMException("The request took too long.", "TimeoutError"));
    });
    stop.addEventListener("abort", onStop, { once: true });
    call(controller.signal).then(settle, (error: unknown) =>
      settle({ ok: false, error: localError("PortFailure", describeError(error)) }),
    );
  });
}

/** A failure on this side of the wire, whose outcome on the other is unknown. */
export function localError(code: string, message: string): KinesisError {
  return new KinesisError({ code, message, kind: "transient", mayHaveTakenEffect: true });
}

function stoppedError(reason: unknown): KinesisError {
  return new KinesisError({
    code: "ERR_PRODUCER_CLOSED",
    message: "the producer was closed without waiting for the answer",
    kind: "aborted",
    mayHaveTakenEffect: true,
    cause: reason,
  });
}
