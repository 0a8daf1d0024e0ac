import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { check } from "./check.ts";
import { errorLine } from "./error-line.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { run } from "./run.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-bad-config-"));
  mkdirSync(join(directory, "agent.d"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const flow = { filePattern: "/var/log/app.log", kinesisStream: "clicks" };
const text = JSON.stringify;

/** What a command ends with for an agent.json, and a file of agent.d beside it. */
async function endOf(content: string, more?: string) {
  const config = join(directory, "agent.json");
  writeFileSync(config, content);
  if (more !== undefined) writeFileSync(join(directory, "agent.d", "more.json"), more);
  const ends = await Promise.all(
    [() => run({ config }), () => check({ config }, () => undefined)].map(async (command) => {
      try {
        await command();
        return { code: 0, line: {} };
      } catch (error) {
        return { code: exitCodeOf(error), line: JSON.parse(errorLine(error)) as Record<string, unknown> };
      }
    }),
  );
  expect(ends[1]).toEqual(ends[0]);
  return ends[0];
}

function fits(value: unknown, expected: unknown): boolean {
  return expected instanceof RegExp ? expected.test(String(value)) : value === expected;
}

// In the order of the rules for the Kinesis Agent's file.
test.each<[string, string, string | undefined, Record<string, unknown>]>([
  [
    "text that is no JSON",
    '{ "flows": [ }',
    undefined,
    { path: /agent\.json$/, got: /line 1/, expected: /JSON object/ },
  ],
  ["an empty file", "", undefined, { path: /agent\.json/, expected: /one JSON object/ }],
  ["a list", "[]", undefined, { path: "agent.json", expected: "one JSON object" }],
  [
    "nested keys",
    text({ flows: [flow], kinesis: { region: "x" } }),
    undefined,
    { path: "kinesis", expected: /known key/ },
  ],
  [
    "an unknown key",
    text({ flows: [{ ...flow, filePatern: "/x" }] }),
    undefined,
    { path: "flows[0].filePatern", hint: "Did you mean filePattern?" },
  ],
  [
    "no boolean",
    text({ flows: [flow], importCheckpoints: "perhaps" }),
    undefined,
    { path: "importCheckpoints", got: '"perhaps"', expected: "true or false" },
  ],
  [
    "no number",
    text({ flows: [{ ...flow, maxBufferAgeMillis: "soon" }] }),
    undefined,
    { path: "flows[0].maxBufferAgeMillis", expected: /an integer from/ },
  ],
  [
    "a word in the wrong case",
    text({ flows: [{ ...flow, partitionKeyOption: "random" }] }),
    undefined,
    { path: "flows[0].partitionKeyOption", got: '"random"', expected: '"RANDOM" or "DETERMINISTIC"' },
  ],
  [
    "processing options of a wrong shape",
    text({ flows: [{ ...flow, dataProcessingOptions: "SINGLELINE" }] }),
    undefined,
    { path: "flows[0].dataProcessingOptions", expected: /list of processing options/ },
  ],
  [
    "an unknown processing option",
    text({ flows: [{ ...flow, dataProcessingOptions: [{ optionName: "USINGPLUGGIN" }] }] }),
    undefined,
    { path: /dataProcessingOptions\[0\]/, expected: /SINGLELINE/ },
  ],
  ["no flows", text({}), undefined, { path: "flows", expected: /list/, hint: /Add "flows"/ }],
  ["empty flows", text({ flows: [] }), undefined, { path: "flows", expected: /at least one flow/ }],
  ["a flow twice", text({ flows: [flow, flow] }), undefined, { path: "flows[1]", hint: /send every line twice/ }],
  ["a flow twice, in agent.d", text({ flows: [flow] }), text({ flows: [flow] }), { path: "flows[1]" }],
  ["text that is no JSON in agent.d", text({ flows: [flow] }), "{", { path: /agent\.d\/more\.json$/, got: /line 1/ }],
  [
    "another key in agent.d",
    text({ flows: [flow] }),
    text({ flows: [], "kinesis.region": "x" }),
    { path: /more\.json$/, hint: /agent\.json/ },
  ],
  [
    "a pattern that is no path",
    text({ flows: [{ ...flow, filePattern: "logs/*" }] }),
    undefined,
    { path: "flows[0].filePattern", got: '"logs/*"', expected: /absolute path/ },
  ],
  [
    "a bad glob",
    text({ flows: [{ ...flow, filePattern: "/var/log/[a-" }] }),
    undefined,
    { path: "flows[0].filePattern", hint: /part of a name/ },
  ],
  [
    "a bad expression",
    text({ flows: [{ ...flow, multiLineStartPattern: "[" }] }),
    undefined,
    { path: "flows[0].multiLineStartPattern", got: '"["', expected: /regular expression/ },
  ],
  [
    "neither stream",
    text({ flows: [{ filePattern: "/x" }] }),
    undefined,
    { path: "flows[0].kinesisStream", hint: /Add "kinesisStream"/ },
  ],
  [
    "half a key",
    text({ flows: [flow], awsAccessKeyId: "a" }),
    undefined,
    { path: "awsSecretAccessKey", expected: /both/ },
  ],
])(
  "scenario 75: %s ends with 78, and a line that says where, what came and what was expected",
  async (_, content, more, line) => {
    const end = await endOf(content, more);
    expect(end?.code).toBe(exitCode.configuration);
    expect(end?.line).toMatchObject({
      level: "fatal",
      path: expect.any(String),
      got: expect.any(String),
      expected: expect.any(String),
    });
    const others = Object.entries(line).filter(([key, expected]) => !fits(end?.line[key], expected));
    expect(others.map(([key]) => [key, end?.line[key]])).toEqual([]);
  },
);

test("scenario 75: a configuration that is not there names its path", async () => {
  const failure = await run({ config: join(directory, "none.json") }).catch((error: unknown) => error);
  expect(exitCodeOf(failure)).toBe(78);
  expect(JSON.parse(errorLine(failure))).toMatchObject({ path: join(directory, "none.json"), got: '"ENOENT"' });
});
