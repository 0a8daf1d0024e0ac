/** Driver. What becomes of a fleet whose leader shares, dies or stands still. */
import type { FleetCase } from "./fleet-case.ts";
import { begin, called, failoverMs, finish, join, mustBe, mustBeAsked, other } from "./steps.ts";
import type { Side } from "./worker-lines.ts";

/** Three workers, six shards: shards move from either side to either side. */
export function handOff(leader: Side): FleetCase {
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
export function leaderDies(leader: Side): FleetCase {
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

/** The leader stands still for longer than its leases and its lock last, and goes on in the belief that it has them. */
export function leaderPauses(leader: Side): FleetCase {
  const heir = `${other(leader)}-1`;
  return {
    name: `${leader}-pauses`,
    title: `${called[leader]} leads and is paused until ${called[other(leader)]} has taken over; then it gets its share again`,
    shardCount: 4,
    exactlyOnce: false,
    async run(fleet) {
      await begin(fleet, leader, 4);
      await join(fleet, other(leader), heir, 2);
      const pausedAt = fleet.journal.length;
      fleet.setPaused(`${leader}-1`, true);
      await fleet.until(`${heir} reads all shards`, failoverMs, () => fleet.shardsRead(pausedAt, heir).size === 4);
      const resumedAt = fleet.journal.length;
      fleet.setPaused(`${leader}-1`, false);
      await fleet.until(`${leader}-1 is given two shards`, failoverMs, () => {
        const given = fleet.journal.slice(resumedAt).filter((entry) => entry.type === "started");
        return new Set(given.map(({ shardId }) => shardId)).size >= 2;
      });
      mustBe(await fleet.leader(), heir, "the leader");
      await finish(fleet);
    },
  };
}
