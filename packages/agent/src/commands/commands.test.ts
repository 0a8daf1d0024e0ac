import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KinesisSimulator } from "@millrace/simulator";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { CommandProcess, runCommand } from "../testing-support/command.ts";

// Each test starts processes, which takes its time on a machine that has other work.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let directory = "";
let simulator: KinesisSimulator | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "millrace-commands-"));
  simulator = await KinesisSimulator.listen();
  simulator.createStream({ streamName: "lines" });
  writeFileSync(join(directory, "app.log"), "one\ntwo\nlast without newline");
  writeFileSync(
    join(directory, "agent.json"),
    JSON.stringify({
      "kinesis.endpoint": simulator.endpoint,
      "kinesis.region": "us-east-1",
      awsAccessKeyId: "a",
      awsSecretAccessKey: "secret-key",
      "http.port": 0,
      positionsFile: join(directory, "positions.db"),
      flows: [{ filePattern: join(directory, "*.log"), kinesisStream: "lines", initialPosition: "START_OF_FILE" }],
    }),
  );
});

afterAll(async () => {
  await simulator?.close();
  rmSync(directory, { recursive: true, force: true });
});

const config = () => ["--config", join(directory, "agent.json")];

test("check prints the configuration and the files, no secret, and touches nothing", async () => {
  const { code, out } = await runCommand(["check", ...config()]);
  expect(code).toBe(0);
  expect(out).not.toContain("secret-key");
  expect(JSON.parse(out).flows[0]).toMatchObject({ isKnown: false, files: [{ readable: true, sizeBytes: 28 }] });
});

test("run --once reads every file to its end and exits with 0; the positions are there then", async () => {
  const once = await runCommand(["run", "--once", ...config()]);
  expect(once.code).toBe(0);
  expect(simulator?.meter.counts().recordsIn).toBe(3);
  const again = await runCommand(["run", "--once", ...config()]);
  expect(again.code).toBe(0);
  expect(simulator?.meter.counts().recordsIn).toBe(3);
  const list = await runCommand(["positions", "list", ...config()]);
  expect(JSON.parse(list.out)).toMatchObject({ positionBytes: 28, sizeBytes: 28 });
});

test("positions reset forgets what it is told to, and nothing without being told", async () => {
  expect((await runCommand(["positions", "reset", ...config()])).code).toBe(78);
  const reset = await runCommand(["positions", "reset", "--path", join(directory, "app.log"), ...config()]);
  expect(JSON.parse(reset.out)).toEqual({ removed: 1 });
});

test("SIGTERM drains and exits with 0", async () => {
  const running = new CommandProcess(["run", ...config()]);
  await running.says('"started"');
  running.kill("SIGTERM");
  const { code, err } = await running.ended;
  expect(code).toBe(0);
  expect(err).toContain('"stopped"');
});

test.each([
  [["run", "--config", "/nowhere/agent.json"], 78],
  [["run", "--no-such-option"], 64],
  [["status", "--config", "/nowhere/agent.json"], 78],
])("%j exits with %i and says why in JSON or in words", async (parts, expected) => {
  const { code, err } = await runCommand(parts);
  expect(code).toBe(expected);
  expect(err.length).toBeGreaterThan(20);
});
