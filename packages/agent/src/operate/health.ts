/**
 * Pure. Whether an agent is healthy: idle is, stuck is not.
 *
 * An agent that cannot send looks exactly like one that has nothing to send, unless somebody asks for progress.
 */
import type { FlowStatus } from "../options.ts";

/** How long records may fail without one being stored before the agent counts as unhealthy, in milliseconds. */
export const maxStuckMs = 60_000;

/** What is wrong with each flow that is unhealthy. */
export function findProblems(flows: readonly FlowStatus[]): readonly string[] {
  return flows.flatMap(({ flow, stuckMs, trouble }) => {
    if (stuckMs !== null && stuckMs < maxStuckMs) return [];
    return [`${flow}: ${trouble ?? "stopped"}`];
  });
}
