/** Driver. What happens to each fleet. */
import { sumOfEffects } from "./effects.ts";
import { rowsOf } from "./row-shapes.ts";
import { createTable, readRows } from "./tables.ts";
import type { FleetCase } from "./fleet-case.ts";
import { handOff, leaderDies, leaderPauses } from "./leader-cases.ts";
import { begin, called, failoverMs, finish, join, moveMs, mustBe, other, owners, sidesOf, startMs } from "./steps.ts";
import type { Side } from "./worker-lines.ts";

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

/** The KPL's aggregate: one worker checkpoints inside it and is gone, one of the other side goes on in it. */
function middleOfAggregate(first: Side): FleetCase {
  const second = other(first);
  return {
    name: `${first}-in-aggregate`,
    title: `${called[first]} checkpoints in the middle of an aggregate of the KPL; ${called[second]} goes on right after`,
    shardCount: 1,
    exactlyOnce: true,
    async run(fleet) {
      const alone = `${first}-alone`;
      const texts = Array.from({ length: 12 }, (_, index) => `${first}-aggregated-${index}`);
      await fleet.putWithKpl([alone, ...texts]);
      fleet.start(first, `${first}-1`, { stopAfter: texts[6] });
      await fleet.until("a checkpoint is stored", startMs, () => fleet.shardsRead(0).size === 1);
      await fleet.kill(`${first}-1`);
      fleet.start(second, `${second}-1`);
      await fleet.untilAllDelivered(failoverMs);
      const records = fleet.journal.flatMap((entry) => (entry.type === "records" ? entry.records : []));
      const places = records.filter(([, text]) => text !== alone).map(([place]) => place);
      const aggregate = places[0]?.split("/")[0];
      mustBe(places.join(), texts.map((_, index) => `${aggregate}/${index}`).join(), "places in the KPL's aggregate");
    },
  };
}

/** Java's default retrieval, and ours of the same kind, under one registration. */
const fanOut: FleetCase = {
  name: "fan-out",
  title: "both sides read by enhanced fan-out under one registration, and take shards over",
  shardCount: 4,
  exactlyOnce: true,
  async run(fleet) {
    const choice = { retrieval: "fan-out" } as const;
    await begin(fleet, "java", 4, choice);
    await join(fleet, "millrace", "millrace-1", 2, choice);
    await fleet.stop("java-1");
    await fleet.until("millrace-1 reads all shards", failoverMs, async () => (await owners(fleet)) === "millrace-1");
    await join(fleet, "java", "java-2", 2, choice);
    await finish(fleet);
  },
};

/** KCL's default strategy. Without metrics of the machine it balances by throughput. */
const byThroughput: FleetCase = {
  name: "by-throughput",
  title: "Java leads by its default strategy and gives Millrace its share",
  shardCount: 6,
  exactlyOnce: true,
  async run(fleet) {
    const choice = { strategy: "utilization" } as const;
    await begin(fleet, "java", 6, choice);
    await join(fleet, "millrace", "millrace-1", 2);
    await finish(fleet);
  },
};

/** Both report their CPU. It is that of one machine, so that only the bound on leases tells who gets what. */
function byCpu(leader: Side): FleetCase {
  return {
    name: `${leader}-by-cpu`,
    title: `${called[leader]} leads by utilisation and takes the CPU that ${called[other(leader)]} reports for valid`,
    shardCount: 4,
    exactlyOnce: true,
    async run(fleet) {
      const choice = { strategy: "utilization", reportsCpu: true, maxLeases: 2 } as const;
      fleet.startLoad();
      await join(fleet, leader, `${leader}-1`, 2, choice);
      await join(fleet, other(leader), `${other(leader)}-1`, 2, choice);
      mustBe(await fleet.leader(), `${leader}-1`, "the leader");
      await finish(fleet);
    },
  };
}

/** What Millrace has alone: effects that happen exactly once, although their authors are killed. */
const exactlyOnceEffects: FleetCase = {
  name: "effects-once",
  title: "effects stored with the checkpoint happen once, through two killed workers",
  shardCount: 4,
  exactlyOnce: false,
  async run(fleet) {
    const effectsTable = "effects-of-a-fleet";
    await createTable(fleet.dynamodb, effectsTable, "id");
    await begin(fleet, "millrace", 4, { effectsTable });
    for (const [heir, victim] of [
      ["millrace-2", "millrace-1"],
      ["millrace-3", "millrace-2"],
    ] as const) {
      await join(fleet, "millrace", heir, 2, { effectsTable });
      const killedAt = fleet.journal.length;
      await fleet.kill(victim);
      await fleet.until(`${heir} reads all shards`, moveMs, () => fleet.shardsRead(killedAt, heir).size === 4);
    }
    await finish(fleet);
    const sum = async (): Promise<number> => sumOfEffects(await readRows(fleet.dynamodb, effectsTable));
    await fleet.until("every record has its effect", moveMs, async () => (await sum()) >= fleet.put.size);
    mustBe(await sum(), fleet.put.size, "effects");
  },
};

/** The tables of 3.0 to 3.4 beside the lease table, in which KCL 3.5.1 then reports and elects. */
const legacyTables: FleetCase = {
  name: "three-tables",
  title: "Millrace joins a fleet that has the three tables of KCL 3.0 to 3.4, and leads it once Java has left",
  shardCount: 4,
  exactlyOnce: true,
  async run(fleet) {
    await fleet.useLegacyTables();
    await begin(fleet, "java", 4);
    await join(fleet, "millrace", "millrace-1", 2);
    const stoppedAt = fleet.journal.length;
    await fleet.stop("java-1");
    await fleet.until("millrace-1 reads all shards", failoverMs, () => {
      return fleet.shardsRead(stoppedAt, "millrace-1").size === 4;
    });
    mustBe(await fleet.leader(), "millrace-1", "the leader");
    await finish(fleet);
    const others = (await fleet.rows()).filter((row) => row["checkpoint"] === undefined);
    mustBe(others.length, 0, "rows in the lease table that are no leases");
  },
};

/** KCL's multi-stream mode: leases are called by account, stream and creation time, which KCL is told and we read. */
function twoStreams(leader: Side): FleetCase {
  return {
    name: `${leader}-two-streams`,
    title: `${called[leader]} leads a fleet that reads two streams`,
    shardCount: 2,
    exactlyOnce: true,
    async run(fleet) {
      await fleet.useSecondStream(2);
      await begin(fleet, leader, 4);
      await join(fleet, other(leader), `${other(leader)}-1`, 2);
      const leftAt = fleet.journal.length;
      await fleet.stop(`${leader}-1`);
      await fleet.until("the other side reads both streams", failoverMs, () => {
        return fleet.shardsRead(leftAt, `${other(leader)}-1`).size === 4;
      });
      await finish(fleet);
      mustBe((await fleet.leases()).size, 4, "leases");
    },
  };
}

export const fleetCases: readonly FleetCase[] = [
  leaderDies("millrace"),
  leaderDies("java"),
  leaderPauses("millrace"),
  leaderPauses("java"),
  handOff("java"),
  handOff("millrace"),
  reshard("java"),
  reshard("millrace"),
  wholeApplication,
  middleOfAggregate("java"),
  middleOfAggregate("millrace"),
  fanOut,
  byThroughput,
  byCpu("java"),
  byCpu("millrace"),
  exactlyOnceEffects,
  legacyTables,
  twoStreams("java"),
  twoStreams("millrace"),
  rowsOf("java"),
  rowsOf("millrace"),
];
