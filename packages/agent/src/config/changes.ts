/**
 * Pure. What another configuration changes: which flows go on as they are, and what cannot change in a running agent.
 */
import { ConfigError } from "@millrace/core/options";
import { type AgentConfig, type FlowConfig, keysWithoutEffect } from "./schema.ts";

/** Keys that hold for the process: another value takes a restart. */
const fixedKeys = ["positionsFile", "http.port", "http.host"] as const;

/** Keys that no flow reads. */
const keysBesideFlows: ReadonlySet<string> = new Set([
  ...fixedKeys,
  ...keysWithoutEffect,
  "flows",
  "log.level",
  "log.statusReportingPeriodSeconds",
  "shutdownTimeoutMillis",
  "maxBufferedBytes",
  "reloadOnChange",
  "checkpointFile",
  "importCheckpoints",
]);

/** @throws {ConfigError} for a key that only a restart can change. */
export function checkFixedKeys(running: AgentConfig, wanted: AgentConfig): void {
  for (const key of fixedKeys) {
    if (running[key] === wanted[key]) continue;
    throw new ConfigError({
      path: key,
      got: wanted[key],
      expected: `${JSON.stringify(running[key])}, as in the running agent`,
      hint: "Restart the agent to change it.",
    });
  }
}

/** Text that is the same for two flows that work in the same way, whatever way they are written. */
export function imprintOf(flow: FlowConfig, config: AgentConfig): string {
  const shared = Object.entries(config).filter(([key]) => !keysBesideFlows.has(key));
  return JSON.stringify([flow, shared.toSorted(([a], [b]) => (a < b ? -1 : 1))], (_, value: unknown) =>
    value instanceof RegExp ? String(value) : value,
  );
}
