/**
 * Pure. How busy this worker's processors are, from two readings of what its platform counts.
 *
 * Source: kcl.md 1.5. The formulas are KCL's: a leader compares the workers of a mixed fleet by them.
 */

/** Reads the processors' utilisation. */
export interface CpuSource {
  readonly platform: "ecs" | "kubernetes" | "ec2" | "host";
  /** Percent, 0 to 100, since the call before; 0 at the first. Rejects when it cannot be read. */
  read(signal: AbortSignal): Promise<number>;
}

/** Time that was counted, by the source's own unit. */
export interface CpuReading {
  readonly used: number;
  /** What could have been used, if every processor of the limit had been busy. */
  readonly possible: number;
}

/** Percent between two readings; 0 without a first one. Nothing possible means that all of it was used, as with KCL. */
export function cpuPercent(before: CpuReading | undefined, now: CpuReading): number {
  if (before === undefined) return 0;
  const possible = now.possible - before.possible;
  if (possible <= 0) return 100;
  return Math.min(100, Math.max(0, ((now.used - before.used) / possible) * 100));
}

/** The first line of `/proc/stat`: user, nice, system, idle and waiting for I/O, which counts as busy. */
export function hostReading(stat: string): CpuReading {
  const fields = /^cpu\s+(.+)$/m.exec(stat)?.[1]?.split(/\s+/).slice(0, 5).map(Number);
  if (fields?.length !== 5 || fields.some((field) => !Number.isFinite(field))) throw unreadable("/proc/stat");
  const possible = fields.reduce((sum, field) => sum + field, 0);
  return { used: possible - (fields[3] ?? 0), possible };
}

/** Microseconds that a group has used, from cgroup v2's `cpu.stat`. */
export function usageMicros(cpuStat: string): number {
  const text = /^usage_usec\s+(\d+)$/m.exec(cpuStat)?.[1];
  if (text === undefined) throw unreadable("cpu.stat");
  return Number(text);
}

/**
 * Processors that a group may use: its quota, or the processors that it may run on.
 * @param quota "max" and -1 stand for no quota.
 */
export function processorLimit(quota: string, period: string, cpuset: string): number {
  const limit = Number(quota) / Number(period);
  return Number.isFinite(limit) && limit > 0 ? limit : processorCount(cpuset);
}

/** Processors in a list such as `0-3,8`. */
export function processorCount(cpuset: string): number {
  let count = 0;
  for (const part of cpuset.trim().split(",")) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (first === undefined) throw unreadable("the list of processors");
    count += last === undefined ? 1 : Number(last) - Number(first) + 1;
  }
  return count;
}

/** What a container may use of its task's processors, by its share of all containers' shares. */
export interface EcsLimits {
  /** 0 to 1. */
  readonly share: number;
  /** Processors of the task; undefined when it has no limit. */
  readonly taskCpus: number | undefined;
}

/** Limits out of the answers of ECS's metadata endpoint for the container and for its task. */
export function ecsLimits(container: unknown, task: unknown): EcsLimits {
  const id = textAt(container, "DockerId");
  const shares = listAt(task, "Containers").map((one) => ({
    id: textAt(one, "DockerId"),
    share: numberAt(one, "Limits", "CPU") ?? 0,
  }));
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  const own = shares.find((one) => one.id === id)?.share ?? 0;
  return { share: total > 0 && own > 0 ? own / total : 1, taskCpus: numberAt(task, "Limits", "CPU") };
}

/** The reading in an answer of ECS's `/stats`, in nanoseconds of one processor. */
export function ecsReading(stats: unknown, limits: EcsLimits): CpuReading {
  const used = numberAt(stats, "cpu_stats", "cpu_usage", "total_usage");
  const system = numberAt(stats, "cpu_stats", "system_cpu_usage");
  const cpus = numberAt(stats, "cpu_stats", "online_cpus");
  if (used === undefined || system === undefined || cpus === undefined || cpus <= 0) throw unreadable("ECS's stats");
  // `system` counts the time of all processors together.
  return { used, possible: (system / cpus) * limits.share * (limits.taskCpus ?? cpus) };
}

function unreadable(what: string): Error {
  return new Error(`${what} has another form than expected`);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

function textAt(value: unknown, ...path: string[]): string | undefined {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : undefined;
}

function numberAt(value: unknown, ...path: string[]): number | undefined {
  const found = valueAt(value, path);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

function listAt(value: unknown, ...path: string[]): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? (found as readonly unknown[]) : [];
}
