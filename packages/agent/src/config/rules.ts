/**
 * Pure. What a configuration must hold to beyond the shape of each key: how keys go together.
 */
import { ConfigError } from "@millrace/core/options";
import { deliveryLimits } from "../firehose/delivery-port.ts";
import { flowIdOf } from "./flow-id.ts";
import { globProblem } from "./glob.ts";
import { type AgentConfig, type FlowConfig, javaCredentialKeys } from "./schema.ts";

/** @throws {ConfigError} for the first rule that is broken. */
export function checkRules(value: Readonly<Record<string, unknown>>, config: AgentConfig): void {
  checkIdentity(value, config);
  for (const [index, flow] of config.flows.entries()) {
    const path = `flows[${index}]`;
    checkDestination(flow, path);
    checkCompression(flow, path);
    if (flow.deliveryStream !== undefined) checkDelivery(flow, path);
    checkPatterns(flow, path);
  }
  checkFlowIds(config);
}

/** Refuses what would send as somebody else when it is passed over. */
function checkIdentity(value: Readonly<Record<string, unknown>>, config: AgentConfig): void {
  for (const key of javaCredentialKeys) {
    if (value[key] === undefined) continue;
    throw new ConfigError({
      path: key,
      got: value[key],
      expected: "no such key: a Java class cannot be loaded here",
      hint:
        "Have a program print the credentials: name it as credential_process in a profile and set AWS_PROFILE. " +
        "Or use assumeRoleARN, the environment, or the host's role.",
    });
  }
  const { assumeRoleARN, awsAccessKeyId, awsSecretAccessKey } = config;
  if (assumeRoleARN !== undefined && !/^arn:[\w-]+:iam::\d*:role\/./.test(assumeRoleARN)) {
    throw new ConfigError({
      path: "assumeRoleARN",
      got: assumeRoleARN,
      expected: "the ARN of a role, like arn:aws:iam::123456789012:role/logs",
    });
  }
  if ((awsAccessKeyId === undefined) === (awsSecretAccessKey === undefined)) return;
  throw new ConfigError({
    path: awsAccessKeyId === undefined ? "awsAccessKeyId" : "awsSecretAccessKey",
    got: undefined,
    expected: "both awsAccessKeyId and awsSecretAccessKey, or neither",
  });
}

function checkDestination(flow: FlowConfig, path: string): void {
  if (flow.kinesisStream !== undefined || flow.deliveryStream !== undefined) return;
  throw new ConfigError({
    path: `${path}.kinesisStream`,
    got: undefined,
    expected: "the name or ARN of a stream, or deliveryStream with the name of a delivery stream",
    hint: 'Add "kinesisStream": "...".',
  });
}

/** A compressed record is an aggregate, which the readers of a flow have to be ready for. */
function checkCompression({ aggregation, compression, deliveryStream }: FlowConfig, path: string): void {
  if (compression === "none" || (aggregation && deliveryStream === undefined)) return;
  throw new ConfigError({
    path: `${path}.compression`,
    got: compression,
    expected: deliveryStream === undefined ? '"none" without aggregation' : '"none" for a delivery stream',
    hint:
      deliveryStream === undefined
        ? 'A compressed record is an aggregate, which only Millrace reads: add "aggregation": true.'
        : "Data Firehose compresses what it delivers, where its destination is told to.",
  });
}

/** Bounds that are lower for Data Firehose, and what it has no way to read. */
function checkDelivery(flow: FlowConfig, path: string): void {
  const { aggregatedRecordSizeBytes, deliveryStream, maxBufferSizeBytes = 0, maxRecordSizeBytes = 0 } = flow;
  const { recordBytes, requestBytes } = deliveryLimits;
  const refuse = (key: keyof FlowConfig, expected: string, hint?: string) => {
    throw new ConfigError({ path: `${path}.${key}`, got: flow[key], expected, hint });
  };
  if (deliveryStream?.startsWith("arn:") === true)
    refuse("deliveryStream", "the name of a delivery stream, not its ARN");
  if (maxBufferSizeBytes > requestBytes) refuse("maxBufferSizeBytes", `an integer from 1 to ${requestBytes}`);
  if (maxRecordSizeBytes > recordBytes) refuse("maxRecordSizeBytes", `an integer from 16 to ${recordBytes}`);
  if (flow.aggregation) {
    const hint = "Data Firehose reads no aggregates. aggregatedRecordSizeBytes joins lines into larger records.";
    refuse("aggregation", "false for a delivery stream", hint);
  }
  if (flow.ordering !== "none") refuse("ordering", '"none" for a delivery stream', "Data Firehose keeps no order.");
  if (aggregatedRecordSizeBytes > 0 && flow.stripNewline) {
    refuse("stripNewline", "false, where aggregatedRecordSizeBytes joins lines: nothing else would part them");
  }
}

function checkPatterns(flow: FlowConfig, path: string): void {
  checkGlobs(`${path}.filePattern`, flow.filePattern);
  checkGlobs(`${path}.exclude`, flow.exclude);
  for (const [index, filePattern] of flow.filePattern.entries()) {
    if (filePattern.startsWith("/") && !filePattern.endsWith("/")) continue;
    throw new ConfigError({
      path: flow.filePattern.length === 1 ? `${path}.filePattern` : `${path}.filePattern[${index}]`,
      got: filePattern,
      expected: "an absolute path that ends in a file name or a glob, like /var/log/app/*.log",
    });
  }
  if (flow.multiLineStartPattern !== undefined && flow.multiLineContinuePattern !== undefined) {
    throw new ConfigError({
      path: `${path}.multiLineContinuePattern`,
      got: flow.multiLineContinuePattern.source,
      expected: "only one of multiLineStartPattern and multiLineContinuePattern",
    });
  }
}

function checkGlobs(path: string, globs: readonly string[]): void {
  for (const [index, glob] of globs.entries()) {
    const problem = globProblem(glob);
    if (problem === undefined) continue;
    throw new ConfigError({
      path: globs.length === 1 ? path : `${path}[${index}]`,
      got: glob,
      expected: `a glob (it has ${problem})`,
      hint: "Write \\\\ before a bracket or brace that is part of a name.",
    });
  }
}

function checkFlowIds(config: AgentConfig): void {
  const seen = new Map<string, number>();
  for (const [index, flow] of config.flows.entries()) {
    const id = flowIdOf(flow);
    const other = seen.get(id);
    if (other !== undefined) {
      throw new ConfigError({
        path: `flows[${index}]`,
        got: id,
        expected: `another destination or pattern than flows[${other}]`,
        hint: "Two flows with both the same would send every line twice.",
      });
    }
    seen.set(id, index);
  }
}
