import type { System } from "@millrace/core/runtime";
import { realSystem } from "@millrace/core/runtime";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { detectCpuSource, hostSource } from "./cpu-sources.ts";

const token = "var/run/secrets/kubernetes.io/serviceaccount/token";
const assetTag = "sys/devices/virtual/dmi/id/board_asset_tag";
const signal = new AbortController().signal;

let root: string;
let nowMs: number;
const system: System = { ...realSystem, now: () => nowMs };

beforeEach(async () => {
  nowMs = 5_000;
  root = await mkdtemp(join(tmpdir(), "millrace-cpu-"));
});

afterEach(() => rm(root, { recursive: true }));

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const detect = (environment: Readonly<Record<string, string>> = {}) => detectCpuSource({ system, environment, root });

const stat = (user: number, nice: number, sys: number, idle: number, iowait: number): string =>
  `cpu  ${user} ${nice} ${sys} ${idle} ${iowait} 7 7 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n`;

describe("the platform", () => {
  test.each<[string, Record<string, string>, Record<string, string>, string | undefined]>([
    ["has no marks: nothing is measured, as with KCL", {}, { "proc/stat": stat(1, 1, 1, 1, 1) }, undefined],
    ["is a machine of EC2", {}, { [assetTag]: "i-0abcdef1234567890\n" }, "ec2"],
    ["is an older machine of EC2", {}, { "sys/hypervisor/uuid": "ec2e1916-9099-7caf-fd21-012345abcdef\n" }, "ec2"],
    ["is another maker's machine", {}, { [assetTag]: "Not Specified\n" }, undefined],
    ["is Kubernetes, on EC2 or not", {}, { [token]: "t", [assetTag]: "i-0abc\n" }, "kubernetes"],
    ["is ECS before anything else", { ECS_CONTAINER_METADATA_URI_V4: "http://x" }, { [token]: "t" }, "ecs"],
    ["is ECS with the older variable", { ECS_CONTAINER_METADATA_URI: "http://x" }, {}, "ecs"],
  ])("%s", async (_name, environment, contents, platform) => {
    await files(contents);
    expect((await detect(environment))?.platform).toBe(platform);
  });
});

describe("a host", () => {
  test("is as busy as it was not idle, waiting for I/O included; the first reading is 0", async () => {
    await files({ [assetTag]: "i-0abc", "proc/stat": stat(100, 0, 100, 800, 0) });
    const source = await detect();
    expect(await source?.read(signal)).toBe(0);
    // 100 jiffies later: 20 user, 5 nice, 10 system, 60 idle, 5 waiting.
    await files({ "proc/stat": stat(120, 5, 110, 860, 5) });
    expect(await source?.read(signal)).toBe(40);
  });

  test("that stands anywhere is measured when asked for", async () => {
    await files({ "proc/stat": stat(0, 0, 0, 0, 0) });
    const source = hostSource({ system, environment: {}, root }, "host");
    await source.read(signal);
    await files({ "proc/stat": stat(1, 0, 0, 3, 0) });
    expect(await source.read(signal)).toBe(25);
  });

  test.each(["", "cpu  1 2 3\n", "cpu  a b c d e\n"])("whose counters read %j is unreadable", async (text) => {
    await files({ "proc/stat": text });
    await expect(hostSource({ system, environment: {}, root }, "host").read(signal)).rejects.toThrow("/proc/stat");
  });
});

const group = "sys/fs/cgroup";
const usage = (micros: number): string => `usage_usec ${micros}\nuser_usec 1\nsystem_usec 1\n`;

describe("a container", () => {
  test.each([
    ["with a quota of two processors", "200000 100000", "0-7", 25],
    ["without quota, by the processors it may run on", "max 100000", "0-1,5,7", 12.5],
    ["with a quota of half a processor: never more than 100", "25000 100000", "0-7", 100],
  ])("of cgroup v2 %s", async (_name, max, cpuset, expected) => {
    await files({
      [token]: "t",
      [`${group}/cgroup.controllers`]: "cpu",
      [`${group}/cpu.max`]: `${max}\n`,
      [`${group}/cpuset.cpus.effective`]: `${cpuset}\n`,
      [`${group}/cpu.stat`]: usage(70_000_000),
    });
    const source = await detect();
    expect(await source?.read(signal)).toBe(0);
    nowMs += 1_000;
    await files({ [`${group}/cpu.stat`]: usage(70_500_000) });
    expect(await source?.read(signal)).toBeCloseTo(expected, 9);
  });

  test.each([
    ["with a quota", "150000\n", 50],
    ["without quota", "-1\n", 37.5],
  ])("of cgroup v1 %s", async (_name, quota, expected) => {
    await files({
      [token]: "t",
      [`${group}/cpu/cpu.cfs_quota_us`]: quota,
      [`${group}/cpu/cpu.cfs_period_us`]: "100000\n",
      [`${group}/cpuset/cpuset.effective_cpus`]: "0-1\n",
      [`${group}/cpu/cpuacct.usage`]: "9000000000\n",
    });
    const source = await detect();
    await source?.read(signal);
    nowMs += 2_000;
    await files({ [`${group}/cpu/cpuacct.usage`]: "10500000000\n" });
    expect(await source?.read(signal)).toBeCloseTo(expected, 9);
  });

  test("without files of a group is unreadable", async () => {
    await files({ [token]: "t" });
    await expect((await detect())?.read(signal)).rejects.toThrow("ENOENT");
  });
});

interface EcsAnswers {
  container: unknown;
  task: unknown;
  stats: unknown;
}

/** A metadata endpoint on loopback, for as long as `use` takes. */
async function withEndpoint(answers: EcsAnswers, use: (uri: string, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answer = answers[request.url === "/v4/id" ? "container" : request.url === "/v4/id/task" ? "task" : "stats"];
    response.statusCode = answer === undefined ? 500 : 200;
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v4/id`, asked);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}

const stats = (total: number, systemTotal: number): unknown => ({
  cpu_stats: { cpu_usage: { total_usage: total }, system_cpu_usage: systemTotal, online_cpus: 2 },
});
const container = { DockerId: "me", Limits: { CPU: 256 } };
const task = { Limits: { CPU: 1.5 }, Containers: [container, { DockerId: "sidecar", Limits: { CPU: 512 } }] };

describe("a container of ECS", () => {
  test.each<[string, unknown, number]>([
    // 0.2 processors used of a third of the task's 1.5.
    ["by its share of the task's limit", task, 40],
    ["of a task without limit, by the processors of the host", { ...task, Limits: {} }, 30],
    ["of a task that tells nothing", {}, 10],
  ])("is measured %s", async (_name, limits, expected) => {
    const answers: EcsAnswers = { container, task: limits, stats: stats(1_000_000_000, 50_000_000_000) };
    await withEndpoint(answers, async (uri, asked) => {
      const source = await detect({ ECS_CONTAINER_METADATA_URI_V4: uri });
      expect(await source?.read(signal)).toBe(0);
      // A second later: 0.2 s used, 2 s of two processors passed.
      answers.stats = stats(1_200_000_000, 52_000_000_000);
      expect(await source?.read(signal)).toBeCloseTo(expected, 9);
      // Limits are asked for once.
      expect(asked).toEqual(["/v4/id", "/v4/id/task", "/v4/id/stats", "/v4/id/stats"]);
    });
  });

  test("counts as fully used where the host's clock stands, as with KCL", async () => {
    await withEndpoint({ container, task, stats: stats(1, 5) }, async (uri) => {
      const source = await detect({ ECS_CONTAINER_METADATA_URI_V4: uri });
      await source?.read(signal);
      expect(await source?.read(signal)).toBe(100);
    });
  });

  test.each<[string, unknown, RegExp]>([
    ["answers with an error", undefined, /answers 500/],
    ["answers something else", { other: 1 }, /another form/],
    ["answers no JSON", "<html>", /JSON/],
    ["answers without end", `"${"x".repeat(1_100_000)}"`, /more than 1048576 bytes/],
  ])("whose endpoint %s is unreadable", async (_name, answer, message) => {
    await withEndpoint({ container, task, stats: answer }, async (uri) => {
      const source = await detect({ ECS_CONTAINER_METADATA_URI_V4: uri });
      await expect(source?.read(signal)).rejects.toThrow(message);
    });
  });
});
