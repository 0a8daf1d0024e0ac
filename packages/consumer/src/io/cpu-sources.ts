/**
 * Adapter. Finds out on which platform this process runs, and reads its processors' utilisation there.
 *
 * Source: kcl.md 1.5: ECS, then Kubernetes, then EC2. KCL asks EC2's metadata service over the network where it runs;
 * here the machine's own files tell it (AWS, "Identify EC2 instances"), so that a host elsewhere is asked nothing.
 */
import type { System } from "@millrace/core/runtime";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  cpuPercent,
  ecsLimits,
  ecsReading,
  hostReading,
  processorLimit,
  usageMicros,
  type CpuReading,
  type CpuSource,
  type EcsLimits,
} from "../leases/cpu-usage.ts";
import { getJson } from "./metadata-endpoint.ts";

/** Where to look; a test has files and variables of its own. */
export interface Platform {
  readonly system: System;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The root of the file system. */
  readonly root: string;
}

const serviceAccountToken = "var/run/secrets/kubernetes.io/serviceaccount/token";

/** The source of the platform that this process runs on; undefined where KCL has none either. */
export async function detectCpuSource(platform: Platform): Promise<CpuSource | undefined> {
  const { environment } = platform;
  const endpoint = environment["ECS_CONTAINER_METADATA_URI_V4"] ?? environment["ECS_CONTAINER_METADATA_URI"];
  if (endpoint !== undefined && endpoint !== "") return ecsSource(endpoint);
  if (await exists(platform, serviceAccountToken)) return containerSource(platform);
  return (await isEc2(platform)) ? hostSource(platform, "ec2") : undefined;
}

/** The processors of the whole host, wherever it stands. */
export function hostSource(platform: Platform, name: "ec2" | "host"): CpuSource {
  return source(name, async () => hostReading(await read(platform, "proc/stat")));
}

function ecsSource(endpoint: string): CpuSource {
  let limits: EcsLimits | undefined;
  return source("ecs", async (signal) => {
    limits ??= ecsLimits(await getJson(endpoint, signal), await getJson(`${endpoint}/task`, signal));
    return ecsReading(await getJson(`${endpoint}/stats`, signal), limits);
  });
}

function containerSource(platform: Platform): CpuSource {
  return source("kubernetes", async () => {
    const isVersion2 = await exists(platform, "sys/fs/cgroup/cgroup.controllers");
    const { usedMicros, processors } = isVersion2 ? await readVersion2(platform) : await readVersion1(platform);
    return { used: usedMicros, possible: platform.system.now() * 1_000 * processors };
  });
}

interface GroupReading {
  readonly usedMicros: number;
  readonly processors: number;
}

async function readVersion2(platform: Platform): Promise<GroupReading> {
  const directory = "sys/fs/cgroup";
  const [quota = "max", period = "100000"] = (await read(platform, `${directory}/cpu.max`)).trim().split(/\s+/);
  return {
    usedMicros: usageMicros(await read(platform, `${directory}/cpu.stat`)),
    processors: processorLimit(quota, period, await read(platform, `${directory}/cpuset.cpus.effective`)),
  };
}

async function readVersion1(platform: Platform): Promise<GroupReading> {
  const directory = "sys/fs/cgroup";
  const quota = await read(platform, `${directory}/cpu/cpu.cfs_quota_us`);
  const period = await read(platform, `${directory}/cpu/cpu.cfs_period_us`);
  return {
    usedMicros: Number(await read(platform, `${directory}/cpu/cpuacct.usage`)) / 1_000,
    processors: processorLimit(quota, period, await read(platform, `${directory}/cpuset/cpuset.effective_cpus`)),
  };
}

/** A source that tells readings apart by the one before. */
function source(platform: CpuSource["platform"], take: (signal: AbortSignal) => Promise<CpuReading>): CpuSource {
  let before: CpuReading | undefined;
  return {
    platform,
    async read(signal) {
      const now = await take(signal);
      const percent = cpuPercent(before, now);
      before = now;
      return percent;
    },
  };
}

async function isEc2(platform: Platform): Promise<boolean> {
  const marks = [
    ["sys/devices/virtual/dmi/id/board_asset_tag", /^i-/],
    ["sys/hypervisor/uuid", /^ec2/i],
  ] as const;
  for (const [path, mark] of marks) {
    const text = await read(platform, path).catch(() => "");
    if (mark.test(text)) return true;
  }
  return false;
}

function read(platform: Platform, path: string): Promise<string> {
  return readFile(join(platform.root, path), "utf8");
}

async function exists(platform: Platform, path: string): Promise<boolean> {
  return access(join(platform.root, path)).then(
    () => true,
    () => false,
  );
}
