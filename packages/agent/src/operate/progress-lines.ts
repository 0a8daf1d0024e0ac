/**
 * Pure. Progress in the words of the Kinesis Agent, for those whose monitors look for them in a log.
 *
 * Source: the log that the Kinesis Agent 2.0.13 writes every `log.statusReportingPeriodSeconds`, and the sizes from which
 * it reports being behind at INFO and WARN. Its remark on newer files never comes: all files of a flow are tailed at once.
 */
import type { AgentEvent } from "../events.ts";

const mebibyte = 1_048_576;
const behindInfoBytes = 20 * mebibyte;
const behindWarnBytes = 40 * mebibyte;

/** A line of the log. */
export interface ProgressLine {
  readonly level: "debug" | "info" | "warn";
  readonly text: string;
}

/** How far a flow is, and how far behind when it is. */
export function flowProgressLines(event: Extract<AgentEvent, { type: "progress" }>): readonly ProgressLine[] {
  const { bytesBehind, counters, flow } = event;
  const { bytesRead, recordsFiltered, recordsRead, recordsSent, recordsTransformed } = counters;
  const tailer = `FileTailer[${flow}]`;
  const text =
    `${tailer}: Tailer Progress: Tailer has parsed ${recordsRead} records (${bytesRead} bytes), ` +
    `transformed ${recordsTransformed} records, skipped ${recordsFiltered} records, ` +
    `and has successfully sent ${recordsSent} records to destination.`;
  const behind = `${tailer}: Tailer is ${(bytesBehind / mebibyte).toFixed(6)} MB (${bytesBehind} bytes) behind.`;
  const level = bytesBehind >= behindWarnBytes ? "warn" : bytesBehind >= behindInfoBytes ? "info" : "debug";
  return [{ level: "info", text }, ...(bytesBehind === 0 ? [] : [{ level, text: behind } as const])];
}

/** How far the whole agent is. */
export function agentProgressLine(event: Extract<AgentEvent, { type: "agent-progress" }>): ProgressLine {
  const { bytesRead, recordsRead, recordsSent, uptimeMs } = event;
  const text =
    `Agent: Progress: ${recordsRead} records parsed (${bytesRead} bytes), ` +
    `and ${recordsSent} records sent successfully to destinations. Uptime: ${uptimeMs}ms`;
  return { level: "info", text };
}
