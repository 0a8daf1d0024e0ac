import { ConfigError } from "@millrace/core/options";
import { describe, expect, test } from "vitest";
import { compileJavaPattern } from "./java-pattern.ts";
import { flowIdOf } from "./flow-id.ts";
import { parseConfig, parseJson } from "./parse.ts";
import { flowSettings } from "./flow-settings.ts";

const flow = { filePattern: "/var/log/app.log", kinesisStream: "clicks" };

function errorOf(value: unknown): ConfigError {
  try {
    const { config } = parseConfig(value);
    for (const [index, each] of config.flows.entries()) flowSettings(each, config, `flows[${index}]`);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe("scenario 75: a bad configuration is named by its path, with what came and what was expected", () => {
  test.each([
    ["no object", [], "agent.json", "one JSON object"],
    ["no flows", {}, "flows", "a list of flows"],
    ["empty flows", { flows: [] }, "flows", "at least one flow"],
    ["a misspelt key", { flows: [flow], maxBuferedBytes: 1 }, "maxBuferedBytes", "a known key"],
    ["a misspelt key of a flow", { flows: [{ ...flow, filePatern: "/x" }] }, "flows[0].filePatern", "a known key"],
    ["a wrong boolean", { flows: [{ ...flow, aggregation: "maybe" }] }, "flows[0].aggregation", "true or false"],
    [
      "a number out of range",
      { flows: [{ ...flow, maxBufferSizeRecords: 501 }] },
      "flows[0].maxBufferSizeRecords",
      "an integer from 1 to 500",
    ],
    [
      "a word in the wrong case",
      { flows: [{ ...flow, initialPosition: "end_of_file" }] },
      "flows[0].initialPosition",
      "START_OF_FILE",
    ],
    ["a relative pattern", { flows: [{ ...flow, filePattern: "app.log" }] }, "flows[0].filePattern", "absolute path"],
    [
      "a pattern that ends in a directory",
      { flows: [{ ...flow, filePattern: "/var/log/" }] },
      "flows[0].filePattern",
      "absolute path",
    ],
    [
      "a glob without its end",
      { flows: [{ ...flow, filePattern: "/var/[a/x" }] },
      "flows[0].filePattern",
      '"[" without',
    ],
    [
      "a brace without its end",
      { flows: [{ ...flow, filePattern: ["/a", "/var/{a,b"] }] },
      "flows[0].filePattern[1]",
      '"{" without its "}" at character 6',
    ],
    ["an exclusion that is no glob", { flows: [{ ...flow, exclude: "**/a}" }] }, "flows[0].exclude", '"}" without'],
    ["no destination", { flows: [{ filePattern: "/x" }] }, "flows[0].kinesisStream", "name or ARN"],
    [
      "a bad expression",
      { flows: [{ ...flow, multiLineStartPattern: "(" }] },
      "flows[0].multiLineStartPattern",
      "regular expression",
    ],
    [
      "an expression without end",
      { flows: [{ ...flow, multiLineStartPattern: "(a+)+b" }] },
      "flows[0].multiLineStartPattern",
      "exponential",
    ],
    [
      "both multi-line patterns",
      { flows: [{ ...flow, multiLineStartPattern: "a", multiLineContinuePattern: "b" }] },
      "flows[0].multiLineContinuePattern",
      "only one",
    ],
    ["the same flow twice", { flows: [flow, flow] }, "flows[1]", "another destination"],
    [
      "the ARN of a delivery stream",
      { flows: [{ filePattern: "/x", deliveryStream: "arn:aws:firehose:eu-west-1:1:deliverystream/d" }] },
      "flows[0].deliveryStream",
      "not its ARN",
    ],
    [
      "a buffer that no request of a delivery stream holds",
      { flows: [{ filePattern: "/x", deliveryStream: "d", maxBufferSizeBytes: 5_000_000 }] },
      "flows[0].maxBufferSizeBytes",
      "1 to 4194304",
    ],
    [
      "aggregates for a delivery stream",
      { flows: [{ filePattern: "/x", deliveryStream: "d", aggregation: true }] },
      "flows[0].aggregation",
      "false for a delivery stream",
    ],
    [
      "compression of plain records",
      { flows: [{ ...flow, compression: "gzip" }] },
      "flows[0].compression",
      "aggregation",
    ],
    [
      "compression for a delivery stream",
      { flows: [{ filePattern: "/x", deliveryStream: "d", compression: "gzip" }] },
      "flows[0].compression",
      "for a delivery stream",
    ],
    [
      "order in a delivery stream",
      { flows: [{ filePattern: "/x", deliveryStream: "d", ordering: "perKey" }] },
      "flows[0].ordering",
      "for a delivery stream",
    ],
    [
      "joined lines without newlines",
      { flows: [{ filePattern: "/x", deliveryStream: "d", aggregatedRecordSizeBytes: 5_000, stripNewline: true }] },
      "flows[0].stripNewline",
      "nothing else would part them",
    ],
    ["a role that is none", { flows: [flow], assumeRoleARN: "logs" }, "assumeRoleARN", "the ARN of a role"],
    [
      "a class for credentials",
      { flows: [flow], "userDefinedCredentialsProvider.classname": "x.Y" },
      "userDefinedCredentialsProvider.classname",
      "a Java class cannot be loaded here",
    ],
    ["half a key", { flows: [flow], awsAccessKeyId: "a" }, "awsSecretAccessKey", "or neither"],
    ["a bad template", { flows: [{ ...flow, partitionKey: "{nothing}" }] }, "flows[0].partitionKey", "template"],
  ])("%s", (_, value, path, expected) => {
    const error = errorOf(value);
    expect(error.path).toBe(path);
    expect(error.expected).toContain(expected);
  });

  test("a misspelt key gets a hint", () => {
    expect(errorOf({ flows: [{ ...flow, filePatern: "/x" }] }).hint).toBe("Did you mean filePattern?");
  });

  test("text that is no JSON is named by its line", () => {
    expect(() => parseJson('{\n  "flows": [\n', "agent.json")).toThrow(/line \d/);
  });
});

test("comments, strings for numbers and words for booleans are read as the Kinesis Agent reads them", () => {
  const value = parseJson(
    `{ // one
      /* two */ "cloudwatch.emitMetrics": true,
      "flows": [{ "filePattern": "/a", "kinesisStream": "s", "maxBufferAgeMillis": "1000", "aggregation": "Yes" }] }`,
    "agent.json",
  );
  const { config, warnings } = parseConfig(value);
  expect(config.flows[0]).toMatchObject({ maxBufferAgeMillis: 1000, aggregation: true, partitionKeyOption: "RANDOM" });
  expect(warnings.map(({ path }) => path)).toEqual(["cloudwatch.emitMetrics"]);
  expect(config.flows.map(flowIdOf)).toEqual(["kinesis:s:/a"]);
});

test("every key that changes nothing is named in a warning", () => {
  const { warnings } = parseConfig({
    "cloudwatch.namespace": "x",
    "sts.endpoint": "x",
    assumeRoleExternalId: "x",
    flows: [
      flow,
      { ...flow, kinesisStream: "b", publishQueueCapacity: 1, aggregatedRecordSizeBytes: 5 },
      {
        ...flow,
        deliveryStream: "d",
        partitionKey: "{host}",
        aggregatedRecordSizeBytes: 5,
        multiLineStartPattern: "x",
      },
    ],
  });
  expect(warnings.map(({ path }) => path)).toEqual([
    "cloudwatch.namespace",
    "assumeRoleExternalId",
    "sts.endpoint",
    "flows[1].publishQueueCapacity",
    "flows[1].aggregatedRecordSizeBytes",
    "flows[2].kinesisStream",
    "flows[2].partitionKey",
    "flows[2].aggregatedRecordSizeBytes",
  ]);
  expect(parseConfig({ flows: [flow] }).warnings).toEqual([]);
});

function matches(source: string, text: string): boolean | string {
  const compiled = compileJavaPattern(source, "start");
  return compiled.ok ? compiled.pattern.test(text) : compiled.problem;
}

test("Java's expressions mean the same here, or are refused", () => {
  expect(matches("(?i)error", "ERROR here")).toBe(true);
  expect(matches("\\p{Alpha}+\\h\\Q[x]\\E", "ab\t[x]")).toBe(true);
  expect(matches("\\d{4}", " 2026")).toBe(false);
  expect(matches("a*+b", "aab")).toContain("possessive");
  expect(matches("[a-z&&[^b]]", "a")).toContain("character classes");
});

test.each(["/a/[]x]*", "/a/[!]]*", "/a/{b,{c,d}}", String.raw`/a/\{x`, "/a/[a-z]/{b}"])(
  "%s is a glob",
  (filePattern) => {
    expect(parseConfig({ flows: [{ ...flow, filePattern }] }).config.flows[0]?.filePattern).toEqual([filePattern]);
  },
);
