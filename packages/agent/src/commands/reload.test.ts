import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realSystem } from "@millrace/core/runtime";
import { KinesisSimulator } from "@millrace/simulator";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fetchStatus } from "../io/http.ts";
import { CommandProcess } from "../testing-support/command.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let directory = "";
let simulator: KinesisSimulator;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "millrace-reload-"));
  mkdirSync(join(directory, "agent.d"));
  simulator = await KinesisSimulator.listen();
  for (const streamName of ["one", "two"]) simulator.createStream({ streamName });
});

afterEach(async () => {
  await simulator.close();
  rmSync(directory, { recursive: true, force: true });
});

const flow = (name: string) => ({
  filePattern: join(directory, `${name}.log`),
  kinesisStream: name,
  initialPosition: "START_OF_FILE",
  maxBufferAgeMillis: 1,
});

function writeConfig(more: object = {}): void {
  writeFileSync(
    join(directory, "agent.json"),
    JSON.stringify({
      "kinesis.endpoint": simulator.endpoint,
      "kinesis.region": "us-east-1",
      awsAccessKeyId: "a",
      awsSecretAccessKey: "s",
      "http.port": 0,
      positionsFile: join(directory, "positions.db"),
      flows: [flow("one")],
      ...more,
    }),
  );
}

const portIn = (log: string) => Number(/"port":(\d+)/.exec(log)?.[1]);

test("scenario 75: SIGHUP takes a changed configuration, and refuses a bad one while the old one goes on", async () => {
  writeConfig({ reloadOnChange: false });
  for (const name of ["one", "two"]) writeFileSync(join(directory, `${name}.log`), `${name} 1\n`);
  const agent = new CommandProcess(["run", "--config", join(directory, "agent.json")]);
  const port = portIn(await agent.says('"started"'));
  writeConfig({ reloadOnChange: false, flows: [flow("one"), flow("two")], "log.level": "debug" });
  agent.kill("SIGHUP");
  expect(await agent.says('"reloaded"')).toMatch(/"unchanged":1,"changed":0,"added":1,"removed":0/);
  writeFileSync(join(directory, "agent.json"), '{ "flows": [');
  agent.kill("SIGHUP");
  expect(await agent.says('"reload-refused"')).toContain("at line 1");
  const status = await fetchStatus("127.0.0.1", port);
  expect(status.lastReload).toMatchObject({ ok: false, error: expect.stringContaining("agent.json") });
  expect(status.flows).toHaveLength(2);
  appendFileSync(join(directory, "one.log"), "one 2\n");
  while (simulator.meter.counts().recordsIn < 3) await realSystem.breathe();
  agent.kill("SIGTERM");
  expect((await agent.ended).code).toBe(0);
  expect(simulator.meter.counts().recordsIn).toBe(3);
});

test("a changed file of the configuration is taken without a signal", async () => {
  writeConfig();
  const agent = new CommandProcess(["run", "--config", join(directory, "agent.json")]);
  await agent.says('"started"');
  writeFileSync(join(directory, "agent.d", "two.json"), JSON.stringify({ flows: [flow("two")] }));
  expect(await agent.says('"reloaded"')).toMatch(/"unchanged":1,"changed":0,"added":1/);
  agent.kill("SIGTERM");
  expect((await agent.ended).code).toBe(0);
});
