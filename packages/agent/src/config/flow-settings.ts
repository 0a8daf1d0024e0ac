/**
 * Pure. From a flow of the configuration to what its parts are told.
 */
import { ConfigError } from "@millrace/core/options";
import type { FlowSettings } from "../flow/flow-settings.ts";
import type { FramingRules } from "../flow/framing-rules.ts";
import { type PartitionKeyRule, parseKeyTemplate } from "../flow/partition-key.ts";
import { flowIdOf } from "./flow-id.ts";
import { instanceTtlMs, transformOf } from "./processing.ts";
import { type AgentConfig, dayMs, type FlowConfig, isMultiLine, maxRecordBytesOf } from "./schema.ts";

/** Names that rotation gives to files it compresses: their bytes are no lines. */
export const compressedNames: readonly string[] = [".gz", ".bz2", ".zip", ".zst", ".xz"].map((end) => `**/*${end}`);

/** The settings of a flow. @throws {ConfigError} for a bad partition-key template. */
export function flowSettings(flow: FlowConfig, config: AgentConfig, path: string): FlowSettings {
  return {
    id: flowIdOf(flow),
    include: flow.filePattern,
    exclude: [...compressedNames, ...flow.exclude],
    initialPosition: flow.initialPosition,
    framing: framingRules(flow),
    headerLines: flow.skipHeaderLines,
    partitionKey: partitionKeyRule(flow, path),
    transform: transformOf(flow.dataProcessingOptions),
    instanceTtlMs: instanceTtlMs(flow.dataProcessingOptions),
    onParseError: flow.onParseError,
    onAmbiguousFile: flow.onAmbiguousFile,
    watchFiles: config.watchFiles,
    minLookMs: flow.minTimeBetweenFilePollsMillis,
    maxScanMs: flow.maxTimeBetweenFileTrackerRefreshMillis,
    rotateWaitMs: flow.rotateWaitMillis,
    partialLineFlushMs: flow.partialLineFlushMillis,
    multiLineTimeoutMs: flow.multiLineTimeoutMillis,
    forgetAfterMs: config.checkpointTimeToLiveDays * dayMs,
    maxOpenFiles: config.maxOpenFiles,
    turnBytes: 262_144,
    backoff: { initialMs: flow.retryInitialBackoffMillis, maxMs: flow.retryMaxBackoffMillis },
    rates: { maxRecordsPerSecond: flow.maxRecordsPerSecond, maxBytesPerSecond: flow.maxBytesPerSecond },
    saveEveryMs: 200,
  };
}

function framingRules(flow: FlowConfig): FramingRules {
  const { multiLineStartPattern, multiLineContinuePattern } = flow;
  return {
    maxRecordBytes: maxRecordBytesOf(flow),
    onLongLine: flow.onLongLine,
    terminator: new TextEncoder().encode(flow.truncatedRecordTerminator),
    footer: flow.fileFooterPattern,
    multiLine: isMultiLine(flow)
      ? { start: multiLineStartPattern, continuation: multiLineContinuePattern, maxLines: flow.multiLineMaxLines }
      : undefined,
    stripNewline: flow.stripNewline,
  };
}

function partitionKeyRule(flow: FlowConfig, path: string): PartitionKeyRule {
  if (flow.partitionKey === undefined) {
    return { type: flow.partitionKeyOption === "RANDOM" ? "random" : "deterministic" };
  }
  const template = parseKeyTemplate(flow.partitionKey);
  if (template.ok) return { type: "template", parts: template.parts };
  throw new ConfigError({
    path: `${path}.partitionKey`,
    got: flow.partitionKey,
    expected: `a template such as {host}-{file} (it has ${template.problem})`,
    hint: "Parts: {file} {path} {host} {random} {regex:...} {json:/pointer}.",
  });
}
