import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "./load-config.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-load-config-"));
  mkdirSync(join(directory, "agent.d"));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, value: unknown): void {
  writeFileSync(join(directory, name), JSON.stringify(value));
}

const flow = (kinesisStream: string) => ({ filePattern: "/var/log/a.log", kinesisStream });

test("the flows of agent.d follow those of agent.json, by name", () => {
  write("agent.json", { flows: [flow("main")] });
  write("agent.d/20-late.json", { flows: [flow("late")] });
  write("agent.d/10-early.json", { flows: [flow("early"), flow("early2")] });
  write("agent.d/.hidden", { flows: [flow("hidden")] });
  const { config } = loadConfig(join(directory, "agent.json"));
  expect(config.flows.map(({ kinesisStream }) => kinesisStream)).toEqual(["main", "early", "early2", "late"]);
});

test("agent.json needs no flows of its own where agent.d has some", () => {
  write("agent.json", { "kinesis.region": "eu-west-1" });
  write("agent.d/one", { flows: [flow("one")] });
  expect(loadConfig(join(directory, "agent.json")).config.flows).toHaveLength(1);
});

test("a key of the whole agent in agent.d is refused by its file's name", () => {
  write("agent.json", { flows: [flow("main")] });
  write("agent.d/one.json", { flows: [], maxOpenFiles: 5 });
  expect(() => loadConfig(join(directory, "agent.json"))).toThrow(/agent\.d\/one\.json/);
});
