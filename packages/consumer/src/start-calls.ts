/**
 * Driver. The calls of a consumer that is starting: made again until they are answered or refused for good.
 *
 * A throttle or a broken connection passes; a process that ended over one would only be started again by its supervisor.
 */
import type { Answer, KinesisError } from "@millrace/core/kinesis";
import { describeError, type EventPublisher } from "@millrace/core/observe";
import { backoffMs, sleep, type System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "./events.ts";
import type { TableFailure } from "./leases/lease-table.ts";
import { answerInTime } from "./shards/answer-in-time.ts";

const startBackoff = { initialMs: 500, maxMs: 10_000 };

/** What tries are made with. */
export interface StartPorts {
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  /** Ends the tries at once, also one under way. */
  readonly signal: AbortSignal;
}

type Passing = TableFailure & { readonly reason: "throttled" | "unknown" };
type TableOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly error?: Error };

/**
 * The outcome of a call to a lease table, once it is not one that passes.
 * @throws the signal's reason.
 */
export async function tableAnswer<T extends TableOutcome>(
  ports: StartPorts,
  operation: string,
  call: () => Promise<T>,
): Promise<Exclude<T, Passing> | (TableFailure & { readonly reason: "refused" })> {
  for (let failures = 1; ; failures++) {
    const outcome = await promptly(ports.signal, call);
    const passes = !outcome.ok && (outcome.reason === "throttled" || outcome.reason === "unknown");
    if (!passes) return outcome as Exclude<T, Passing>;
    ports.events.publish({ type: "lease-table-failed", operation, error: describeError(outcome.error) });
    await sleep(ports.system, backoffMs(startBackoff, failures, ports.system.random()), { signal: ports.signal });
  }
}

/**
 * The answer to a call to Kinesis, or the refusal that will not pass.
 * @param passes says of a failure whether another try may help; `failures` counts those so far.
 * @throws the signal's reason.
 */
export async function kinesisAnswer<T>(
  ports: StartPorts,
  at: { readonly operation: string; readonly streamName: string },
  call: (signal: AbortSignal) => Promise<Answer<T>>,
  passes: (error: KinesisError, failures: number) => boolean = ({ kind }) => kind !== "permanent",
): Promise<Answer<T>> {
  for (let failures = 1; ; failures++) {
    const answer = await promptly(ports.signal, () => answerInTime(ports.system, ports.signal, call));
    if (answer.ok || !passes(answer.error, failures)) return answer;
    const retryInMs = backoffMs(startBackoff, failures, ports.system.random());
    const { code } = answer.error;
    ports.events.publish({ type: "stream-call-failed", ...at, code, error: describeError(answer.error), retryInMs });
    await sleep(ports.system, retryInMs, { signal: ports.signal });
  }
}

/** The call's result, or the signal's reason without waiting for a call that does not heed it. */
export async function promptly<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let giveUp: (() => void) | undefined;
  try {
    const result = await new Promise<T>((resolve, reject) => {
      giveUp = () => reject(signal.reason as Error);
      signal.addEventListener("abort", giveUp, { once: true });
      call().then(resolve, reject);
    });
    // A call that heeds its signal gives a failure that looks as if it passed.
    signal.throwIfAborted();
    return result;
  } finally {
    if (giveUp !== undefined) signal.removeEventListener("abort", giveUp);
  }
}
