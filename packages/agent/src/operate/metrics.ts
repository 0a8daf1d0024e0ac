/**
 * Pure. The agent's state as Prometheus reads it.
 * Source: the text exposition format, version 0.0.4, of the Prometheus documentation.
 */
import type { FlowCounters } from "../events.ts";
import type { AgentStatus, FlowStatus } from "../options.ts";

const counterNames: Readonly<Record<keyof FlowCounters, readonly [name: string, help: string]>> = {
  recordsRead: ["records_read", "Records framed."],
  bytesRead: ["bytes_read", "Bytes framed."],
  recordsSent: ["records_sent", "Records that the destination stored."],
  bytesSent: ["bytes_sent", "Bytes that the destination stored."],
  recordsFiltered: ["records_filtered", "Records that a rule left out."],
  recordsTransformed: ["records_transformed", "Records that went through transforms."],
  recordsUnparsed: ["records_unparsed", "Records that a transform could not take."],
  longLines: ["long_lines", "Lines cut or skipped for their length."],
  recordsRetried: ["records_retried", "Puts that failed and were put again."],
  recordsUndeliverable: ["records_undeliverable", "Records written to the dead letters."],
  bytesPossiblyLost: ["bytes_possibly_lost", "Bytes that a truncation or deletion took unread."],
  ambiguousFiles: ["ambiguous_files", "Files that could not be told apart."],
};

/** The page that `/metrics` gives. */
export function metricsText({ flows, lastReload }: AgentStatus): string {
  const lines: string[] = [
    ...metric("millrace_agent_reload_successful", "gauge", "1 unless the last reload was refused."),
    `millrace_agent_reload_successful ${lastReload?.ok === false ? 0 : 1}`,
  ];
  for (const [counter, [name, help]] of Object.entries(counterNames)) {
    lines.push(...metric(`millrace_agent_${name}_total`, "counter", help));
    for (const flow of flows) {
      const value = flow.counters[counter as keyof FlowCounters];
      lines.push(`millrace_agent_${name}_total{flow=${label(flow.flow)}} ${value}`);
    }
  }
  lines.push(...metric("millrace_agent_unsettled_records", "gauge", "Records read and not stored yet."));
  for (const { flow, unsettledRecords } of flows) {
    lines.push(`millrace_agent_unsettled_records{flow=${label(flow)}} ${unsettledRecords}`);
  }
  lines.push(
    ...metric("millrace_agent_stuck_seconds", "gauge", "For how long records have failed and none was stored."),
  );
  for (const { flow, stuckMs } of flows) {
    lines.push(`millrace_agent_stuck_seconds{flow=${label(flow)}} ${stuckMs === null ? "+Inf" : stuckMs / 1000}`);
  }
  for (const [name, help, valueOf] of fileGauges) {
    lines.push(...metric(`millrace_agent_file_${name}`, "gauge", help));
    for (const { flow, files } of flows) {
      for (const file of files) {
        const labels = `flow=${label(flow)},path=${label(file.path)},generation=${label(file.generation)}`;
        lines.push(`millrace_agent_file_${name}{${labels}} ${valueOf(file)}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

type File = FlowStatus["files"][number];

const fileGauges: readonly (readonly [name: string, help: string, valueOf: (file: File) => number])[] = [
  ["size_bytes", "Size when last looked at.", (file) => file.sizeBytes],
  ["position_bytes", "Everything before it is stored.", (file) => file.savedBytes],
  ["lag_bytes", "Bytes that are not stored yet.", (file) => Math.max(0, file.sizeBytes - file.savedBytes)],
];

function metric(name: string, type: "counter" | "gauge", help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function label(value: string): string {
  return `"${value
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", String.raw`\n`)
    .replaceAll('"', String.raw`\"`)}"`;
}
