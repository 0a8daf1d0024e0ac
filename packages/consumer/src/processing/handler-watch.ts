/**
 * Driver. Calls a handler, and notices when it gives no sign of life.
 *
 * A lease is renewed whatever its handler does, so a handler that waits for ever would keep its shard for ever.
 */
import type { System, Timer } from "@millrace/core/runtime";
import { formatCheckpoint } from "../checkpoint/checkpoint.ts";
import type { HeldLease } from "../leases/held-lease.ts";
import type { ShardHandler } from "../record.ts";
import type { ShardLoop } from "./shard-loop.ts";

/** Looks four times in the bound, so a silent handler is noticed within 1.25 times the bound. */
const looksPerBound = 4;

export interface HandlerWatchOptions {
  readonly system: System;
  readonly held: HeldLease;
  readonly handler: ShardHandler;
  /** Undefined for no bound. */
  readonly maxHandlerMs: number | undefined;
  /** Called once, when the handler was silent for the bound. */
  readonly onHandlerTimedOut: (held: HeldLease) => void;
}

/**
 * Calls the handler. It lives while it asks for batches or its checkpoint moves; waiting for records, and a stop on
 * purpose, are no silence.
 */
export async function handleWatched(
  options: HandlerWatchOptions,
  loop: ShardLoop,
  isStopped: () => boolean,
): Promise<void> {
  const { system, held, handler, maxHandlerMs, onHandlerTimedOut } = options;
  const doings = (): string => `${loop.batches} ${formatCheckpoint(held.checkpointed)}`;
  let timer: Timer | undefined;
  const watch = (limitMs: number, last: string, aliveAt: number): void => {
    timer = system.schedule(
      limitMs / looksPerBound,
      () => {
        if (held.signal.aborted) return;
        const current = doings();
        if (loop.isWaiting || isStopped() || current !== last) watch(limitMs, current, system.now());
        else if (system.now() - aliveAt >= limitMs) onHandlerTimedOut(held);
        else watch(limitMs, last, aliveAt);
      },
      { unref: true },
    );
  };
  if (maxHandlerMs !== undefined) watch(maxHandlerMs, doings(), system.now());
  try {
    await handler(loop);
  } finally {
    timer?.cancel();
  }
}
