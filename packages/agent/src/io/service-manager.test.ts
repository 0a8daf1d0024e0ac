import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { realSystem } from "@millrace/core/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CommandProcess } from "../testing-support/command.ts";
import { ManualSystem } from "../testing-support/manual-system.ts";
import { serviceManager } from "./service-manager.ts";

let directory = "";

/** Puts a `systemd-notify` in front of the path that writes down what it is told. */
function installNotify(): void {
  const path = join(directory, "systemd-notify");
  writeFileSync(path, `#!/bin/sh\necho "$@" >> "${join(directory, "told")}"\n`);
  chmodSync(path, 0o755);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-notify-"));
  vi.stubEnv("PATH", `${directory}${delimiter}${process.env["PATH"] ?? ""}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const told = () => readFileSync(join(directory, "told"), "utf8").trim().split("\n");
const environment = { NOTIFY_SOCKET: "/run/none" };

test("messages go in their order, and the watchdog speaks twice in its interval", async () => {
  installNotify();
  const system = new ManualSystem(() => realSystem.breathe());
  const manager = serviceManager({ ...environment, WATCHDOG_USEC: "60000000" }, (problem) => expect(problem).toBe(""));
  void manager.notify("READY=1");
  let count = 0;
  manager.startWatchdog(system, () => `round ${(count += 1)}`);
  await manager.notify("RELOADING=1");
  system.advance(29_999);
  await manager.notify("READY=1");
  system.advance(1);
  await realSystem.breathe();
  await manager.stop();
  expect(told()).toEqual([
    "READY=1",
    "WATCHDOG=1 STATUS=round 1",
    "RELOADING=1",
    "READY=1",
    "WATCHDOG=1 STATUS=round 2",
  ]);
});

test("nothing is started without systemd, or for a watchdog that is another process's", async () => {
  installNotify();
  const system = new ManualSystem(() => realSystem.breathe());
  await serviceManager({}, () => undefined).notify("READY=1");
  const manager = serviceManager({ ...environment, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" }, () => undefined);
  manager.startWatchdog(system, () => "");
  await manager.stop();
  expect(told).toThrow(/ENOENT/);
});

test("a message that cannot be sent is said once and holds nothing up", async () => {
  writeFileSync(join(directory, "systemd-notify"), "#!/bin/sh\necho no socket >&2\nexit 1\n", { mode: 0o755 });
  const problems: string[] = [];
  const manager = serviceManager(environment, (problem) => problems.push(problem));
  await manager.notify("READY=1");
  await manager.notify("STOPPING=1");
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain("no socket");
});

test("the agent says when it is ready, reloading and stopping", async () => {
  installNotify();
  const config = join(directory, "agent.json");
  const flows = [{ filePattern: join(directory, "*.log"), kinesisStream: "s" }];
  const content = { "kinesis.region": "eu-west-1", positionsFile: join(directory, "positions.db"), flows };
  writeFileSync(config, JSON.stringify(content));
  const agent = new CommandProcess(["run", "--config", config], environment);
  await agent.says('"started"');
  agent.kill("SIGHUP");
  await agent.says('"reloaded"');
  agent.kill("SIGTERM");
  const { code, err } = await agent.ended;
  expect(code).toBe(0);
  expect(told()).toEqual(["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
  expect(err).toMatch(/Agent: Progress: 0 records parsed \(0 bytes\), and 0 records sent successfully to destinations/);
});
