/** Driver. What most fleets go through, and how long each may take. */
import type { Fleet, WorkerChoice } from "./fleet.ts";
import type { Side } from "./worker-lines.ts";

/** KCL waits up to 10 s for its table, as long for its index, and up to 30 s before it makes the first leases. */
export const startMs = 180_000;
/** For leases that move between live workers. */
export const moveMs = 90_000;
/** KCL takes a worker for alive until its report is 60 s old, and gives a dead one's leases back to it until then. */
export const failoverMs = 240_000;

export const other = (side: Side): Side => (side === "java" ? "millrace" : "java");
export const called: Readonly<Record<Side, string>> = { java: "Java", millrace: "Millrace" };

/** Starts a first worker, which comes to lead and to read everything. */
export async function begin(fleet: Fleet, side: Side, shardCount: number, choice?: WorkerChoice): Promise<void> {
  fleet.startLoad();
  fleet.start(side, `${side}-1`, choice);
  await fleet.until(`${side}-1 reads all shards`, startMs, () => fleet.shardsRead(0).size === shardCount);
  mustBe(await fleet.leader(), `${side}-1`, "the leader");
}

/** Starts another worker and waits until it reads so many shards. */
export async function join(
  fleet: Fleet,
  side: Side,
  workerId: string,
  shards: number,
  choice?: WorkerChoice,
): Promise<void> {
  const joinedAt = fleet.journal.length;
  fleet.start(side, workerId, choice);
  await fleet.until(`${workerId} reads ${shards} shards`, startMs, () => {
    return fleet.shardsRead(joinedAt, workerId).size >= shards;
  });
}

/** Ends the load and waits for what is left. */
export async function finish(fleet: Fleet, limitMs = moveMs): Promise<void> {
  await fleet.stopLoad();
  await fleet.untilAllDelivered(limitMs);
}

export function mustBe<T>(got: T, expected: T, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(got)}`);
}

export function mustBeAsked(fleet: Fleet, workerId: string): void {
  const asked = fleet.journal.some((entry) => entry.type === "asked" && entry.workerId === workerId);
  if (!asked) throw new Error(`${workerId} was not asked to hand a shard over`);
}

export async function sidesOf(fleet: Fleet, shardIds: readonly string[]): Promise<number> {
  const leases = await fleet.leases();
  return new Set(shardIds.map((shardId) => leases.get(shardId)?.["leaseOwner"]?.S)).size;
}

export async function owners(fleet: Fleet): Promise<string> {
  const leases = [...(await fleet.leases()).values()];
  return [...new Set(leases.map((row) => row["leaseOwner"]?.S))].join();
}
