/**
 * Driver. Writes the agent's events to its log, each at the level an operator needs.
 */
import type { AgentEvent } from "../events.ts";
import type { Logger } from "../io/process.ts";
import { agentProgressLine, flowProgressLines } from "../operate/progress-lines.ts";

/** WARN: surprising, and the agent went on. ERROR: bytes may be lost, or somebody has to act. */
const levels: Record<AgentEvent["type"], "debug" | "info" | "warn" | "error"> = {
  "config-warning": "warn",
  reloaded: "info",
  "reload-refused": "error",
  "flow-started": "info",
  "checkpoints-taken-over": "info",
  "instance-metadata-missing": "warn",
  "flow-stopped": "info",
  "file-found": "info",
  "file-rotated": "info",
  "file-finished": "debug",
  "bytes-possibly-lost": "error",
  "ambiguous-file": "warn",
  "file-unreadable": "error",
  "flow-paused": "warn",
  "flow-resumed": "info",
  "record-undeliverable": "error",
  "long-line": "warn",
  "positions-not-saved": "error",
  "flow-failed": "error",
  progress: "info",
  "agent-progress": "info",
};

/** Writes one event. */
export function logEvent(logger: Logger, event: AgentEvent): void {
  if (event.type === "progress") {
    for (const { level, text } of flowProgressLines(event)) logger[level](event, text);
  } else if (event.type === "agent-progress") logger.info(event, agentProgressLine(event).text);
  else logger[levels[event.type]](event, event.type);
}
