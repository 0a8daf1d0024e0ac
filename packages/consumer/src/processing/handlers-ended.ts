/**
 * Driver. The wait for handlers when a worker leaves.
 */
import { sleep, type System } from "@millrace/core/runtime";
import { untilAborted } from "../until-aborted.ts";

/** A handler whose signal has aborted may take this long to return, however short its time before was. */
const lastWordMs = 1_000;

/**
 * Resolves once all shards have ended; at the latest when `force` aborts, or when handlers had as long after their signals
 * aborted as before. One that never returns keeps its shard's place, but neither the lease nor the whole consumer.
 * @param drainTimeoutMs how long a handler has before its signal aborts.
 */
export async function handlersEnded(
  shards: readonly { readonly ended: Promise<void> }[],
  system: System,
  drainTimeoutMs: number,
  force: AbortSignal | undefined,
): Promise<void> {
  const over = new AbortController();
  const patienceMs = drainTimeoutMs + Math.max(drainTimeoutMs, lastWordMs);
  const waits = [
    Promise.all(shards.map((shard) => shard.ended)),
    sleep(system, patienceMs, { signal: over.signal }).catch(() => undefined),
  ];
  await Promise.race(force === undefined ? waits : [...waits, untilAborted(force)]);
  over.abort();
}
