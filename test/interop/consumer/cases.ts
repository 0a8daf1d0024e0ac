/** Driver. What happens to each fleet. */
import type { Fleet, WorkerChoice } from "./fleet.ts";
import type { Side } from "./worker-lines.ts";

export interface FleetCase {
  /** Of its stream and application. */
  readonly name: string;
  readonly title: string;
  readonly shardCount: number;
  /** True where no worker is cut off, so that nothing comes twice. */
  readonly exactlyOnce: boolean;
  run(fleet: Fleet): Promise<void>;
}

/** KCL waits up to 10 s for its table, as long for its index, and up to 30 s before it makes the first leases. */
const startMs = 90_000;
/** For leases that move between live workers. */
const moveMs = 40_000;
/** KCL takes a worker for alive until its report is 60 s old, and gives a dead one's leases back to it until then. */
const failoverMs = 120_000;

const other = (side: Side): Side => (side === "java" ? "millrace" : "java");
const called: Readonly<Record<Side, string>> = { java: "Java", millrace: "Millrace" };

/** Starts a first worker, which comes to lead and to read everything. */
async function begin(fleet: Fleet, side: Side, shardCount: number, choice?: WorkerChoice): Promise<void> {
  fleet.startLoad();
  fleet.start(side, `${side}-1`, choice);
  await fleet.until(`${side}-1 reads all shards`, startMs, () => fleet.shardsRead(0).size === shardCount);
  mustBe(await fleet.leader(), `${side}-1`, "the leader");
}

/** Starts another worker and waits until it reads so many shards. */
async function join(fleet: Fleet, side: Side, workerId: string, shards: number, choice?: WorkerChoice): Promise<void> {
  const joinedAt = fleet.journal.length;
  fleet.start(side, workerId, choice);
  await fleet.until(`${workerId} reads ${shards} shards`, startMs, () => {
    return fleet.shardsRead(joinedAt, workerId).size >= shards;
  });
}

/** Ends the load and waits for what is left. */
async function finish(fleet: Fleet, limitMs = moveMs): Promise<void> {
  await fleet.stopLoad();
  await fleet.untilAllDelivered(limitMs);
}

function mustBe<T>(got: T, expected: T, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(got)}`);
}

function mustBeAsked(fleet: Fleet, workerId: string): void {
  const asked = fleet.journal.some((entry) => entry.type === "asked" && entry.workerId === workerId);
  if (!asked) throw new Error(`${workerId} was not asked to hand a shard over`);
}

/** Three workers, six shards: shards move from either side to either side. */
function handOff(leader: Side): FleetCase {
  const name = `${leader}-leads`;
  return {
    name,
    title: `${called[leader]} leads; shards are handed over gracefully in both directions`,
    shardCount: 6,
    exactlyOnce: true,
    async run(fleet) {
      await begin(fleet, leader, 6);
      await join(fleet, other(leader), `${other(leader)}-1`, 3);
      mustBeAsked(fleet, `${leader}-1`);
      await join(fleet, leader, `${leader}-2`, 2);
      mustBeAsked(fleet, `${other(leader)}-1`);
      await finish(fleet);
      mustBe(await fleet.leader(), `${leader}-1`, "the leader");
    },
  };
}

/** The leader dies; the other side leads and reads on. */
function leaderDies(leader: Side): FleetCase {
  const heir = `${other(leader)}-1`;
  return {
    name: `${leader}-dies`,
    title: `${called[leader]} leads and is killed; ${called[other(leader)]} takes the leadership and the shards over`,
    shardCount: 4,
    exactlyOnce: false,
    async run(fleet) {
      await begin(fleet, leader, 4);
      await join(fleet, other(leader), heir, 2);
      const killedAt = fleet.journal.length;
      await fleet.kill(`${leader}-1`);
      await fleet.until(`${heir} reads all shards`, failoverMs, () => fleet.shardsRead(killedAt, heir).size === 4);
      mustBe(await fleet.leader(), heir, "the leader");
      await finish(fleet);
    },
  };
}

/** Both sides end shards that were split, and shards that were merged. */
function reshard(leader: Side): FleetCase {
  return {
    name: `${leader}-reshards`,
    title: `${called[leader]} leads; both sides finish shards that are split and merged`,
    shardCount: 2,
    exactlyOnce: true,
    async run(fleet) {
      await begin(fleet, leader, 2);
      await join(fleet, other(leader), `${other(leader)}-1`, 1);
      const splitAt = fleet.journal.length;
      const children = fleet.split(fleet.shardsRead(0));
      await fleet.until("both sides read children", startMs, async () => {
        const open = fleet.shardsRead(splitAt);
        return children.every((shardId) => open.has(shardId)) && (await sidesOf(fleet, children)) === 2;
      });
      const mergedAt = fleet.journal.length;
      const [a, b, c, d] = children as [string, string, string, string];
      const merged = [...fleet.merge([a, b]), ...fleet.merge([c, d])];
      await fleet.until("what was merged is read", startMs, () => {
        const open = fleet.shardsRead(mergedAt);
        return merged.every((shardId) => open.has(shardId));
      });
      await finish(fleet);
      for (const [what, from, to] of [
        ["split", splitAt, mergedAt],
        ["merged", mergedAt, fleet.journal.length],
      ] as const) {
        const ends = fleet.journal.slice(from, to).filter(({ type }) => type === "ended");
        mustBe(new Set(ends.map(({ workerId }) => workerId)).size, 2, `sides that finished a shard that was ${what}`);
      }
    },
  };
}

async function sidesOf(fleet: Fleet, shardIds: readonly string[]): Promise<number> {
  const leases = await fleet.leases();
  return new Set(shardIds.map((shardId) => leases.get(shardId)?.["leaseOwner"]?.S)).size;
}

/** An application goes over to the other side as a whole, and comes back. */
const wholeApplication: FleetCase = {
  name: "moves-whole",
  title: "an application goes over whole from Java to Millrace and back, and reads nothing twice",
  shardCount: 4,
  exactlyOnce: true,
  async run(fleet) {
    await begin(fleet, "java", 4);
    await fleet.stop("java-1");
    await join(fleet, "millrace", "millrace-1", 4);
    await fleet.stop("millrace-1");
    await join(fleet, "java", "java-2", 4);
    await finish(fleet);
  },
};

export const fleetCases: readonly FleetCase[] = [
  leaderDies("millrace"),
  leaderDies("java"),
  handOff("java"),
  handOff("millrace"),
  reshard("java"),
  reshard("millrace"),
  wholeApplication,
];
