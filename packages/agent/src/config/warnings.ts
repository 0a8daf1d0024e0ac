/**
 * Pure. What in a configuration works and is worth a word: keys that change nothing, and places that do not last.
 */
import { type AgentConfig, type FlowConfig, flowKeysWithoutEffect, isMultiLine, keysWithoutEffect } from "./schema.ts";

/** Something that works, and that its author should know. */
export interface ConfigWarning {
  readonly path: string;
  readonly text: string;
}

const noEffect = "has no effect in this agent";

/** Warnings in the order of the keys they are about; `value` is what was written. */
export function warningsOf(value: Readonly<Record<string, unknown>>, config: AgentConfig): ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  for (const key of keysWithoutEffect) {
    if (Object.hasOwn(value, key)) warnings.push({ path: key, text: noEffect });
  }
  if (config.assumeRoleARN === undefined) {
    for (const key of ["assumeRoleExternalId", "sts.endpoint"]) {
      if (Object.hasOwn(value, key)) warnings.push({ path: key, text: "has no effect without assumeRoleARN" });
    }
  }
  for (const [index, flow] of config.flows.entries()) {
    for (const [key, text] of flowWarnings(flow)) warnings.push({ path: `flows[${index}].${key}`, text });
  }
  for (const directory of ["/run/", "/var/run/", "/tmp/"]) {
    if (!config.positionsFile.startsWith(directory)) continue;
    warnings.push({
      path: "positionsFile",
      text: `${directory} is emptied when the host starts: positions would be lost`,
    });
  }
  return warnings;
}

function flowWarnings(flow: FlowConfig): [key: string, text: string][] {
  const keys: [string, string][] = flowKeysWithoutEffect
    .filter((key) => Object.hasOwn(flow, key))
    .map((key) => [key, noEffect]);
  if (flow.deliveryStream === undefined) {
    if (flow.aggregatedRecordSizeBytes > 0) keys.push(["aggregatedRecordSizeBytes", "has no effect on a stream"]);
    return keys;
  }
  if (flow.kinesisStream !== undefined) keys.push(["kinesisStream", "has no effect beside deliveryStream"]);
  if (flow.partitionKey !== undefined) keys.push(["partitionKey", "has no effect on a delivery stream"]);
  if (flow.aggregatedRecordSizeBytes > 0 && isMultiLine(flow)) {
    keys.push(["aggregatedRecordSizeBytes", "has no effect on records of several lines"]);
  }
  return keys;
}
