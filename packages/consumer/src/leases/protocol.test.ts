import { describe, expect, test } from "vitest";
import { compareCheckpoints, sentinel, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { troubleOf } from "../health.ts";
import { stepShard, type ShardEvent, type ShardState } from "../processing/shard-state.ts";
import { nextPoll } from "../retrieval/pace.ts";
import { decideLeader, newLeaderRow, parseLeaderRow } from "./leader.ts";
import { newLeaseRow, parseLease, type Lease } from "./lease.ts";
import { settleOwnWrite } from "./settle-own-write.ts";
import { decideLayout, newVersionRow, type FleetFacts } from "./table-layout.ts";
import { metricsReport, parseWorkerMetrics } from "./worker-metrics.ts";

const at = (sequenceNumber: string, subSequenceNumber = 0): Checkpoint => ({ sequenceNumber, subSequenceNumber });

test("checkpoints stand in KCL's order", () => {
  const order = [
    sentinel("AT_TIMESTAMP"),
    sentinel("TRIM_HORIZON"),
    sentinel("LATEST"),
    at("9"),
    at("10"),
    at("10", 1),
    at("10", 12),
    at("49600000000000000000000000000000000000000000000000000000"),
    sentinel("SHARD_END"),
  ];
  expect([...order].toReversed().toSorted(compareCheckpoints)).toEqual(order);
});

const leaseRow = newLeaseRow({
  leaseKey: "s1",
  shardId: "s1",
  checkpoint: sentinel("TRIM_HORIZON"),
  parentShardIds: [],
  hashRange: undefined,
  leaseOwner: "me",
});

describe("a write of ours with an unknown outcome", () => {
  const before = { ...(parseLease(leaseRow) as Lease), leaseCounter: 7n };
  const place = { sequenceNumber: "42", subSequenceNumber: 3 };
  const intended = { ...before, leaseCounter: 8n, checkpoint: place };

  test.each<[string, Lease | undefined, ReturnType<typeof settleOwnWrite>]>([
    ["was done: counter and checkpoint are ours", intended, { verdict: "done" }],
    ["was not done: the row is as before", before, { verdict: "not-done", handOff: false }],
    [
      "was refused for a hand-off that we are to learn of",
      { ...before, leaseOwner: "next", checkpointOwner: "me" },
      { verdict: "not-done", handOff: true },
    ],
    ["was done during a hand-off", { ...intended, leaseOwner: "next", checkpointOwner: "me" }, { verdict: "done" }],
    ["is void: another worker owns the row", { ...before, leaseOwner: "thief" }, { verdict: "lost" }],
    ["is void: the counter went past it", { ...intended, leaseCounter: 9n }, { verdict: "lost" }],
    ["is void: the same counter with another checkpoint", { ...before, leaseCounter: 8n }, { verdict: "lost" }],
    ["is void: the row is gone", undefined, { verdict: "lost" }],
    ["is void: both owners are we, which nobody writes", { ...before, checkpointOwner: "me" }, { verdict: "lost" }],
  ])("%s [C4]", (_name, found, verdict) => {
    expect(settleOwnWrite("me", before, intended, found)).toEqual(verdict);
  });
});

const leaderRow = (version: string, fields: Partial<{ released: boolean; durationMs: number }> = {}) =>
  parseLeaderRow({
    ...newLeaderRow("leaseKey", {
      workerId: "java",
      recordVersionNumber: version,
      leaseDurationMs: fields.durationMs ?? 120_000,
    }),
    ...(fields.released === true ? { isReleased: { S: "1" } } : {}),
  });

describe("the leader's row", () => {
  const me = { workerId: "me", recordVersionNumber: undefined };

  test("is taken when there is none, or it was released", () => {
    expect(decideLeader(undefined, me, undefined, 0, 20_000)).toMatchObject({
      action: "take",
      leaseDurationMs: 20_000,
    });
    expect(decideLeader(leaderRow("v1", { released: true }), me, undefined, 0, 20_000)).toMatchObject({
      action: "take",
    });
  });

  test("of a leader that was killed is taken after its own duration, by our observation: KCL may wait for ever", () => {
    const first = decideLeader(leaderRow("v1"), me, undefined, 1_000, 20_000);
    expect(first).toMatchObject({ action: "wait", observation: { since: 1_000 } });
    const observation = first.action === "wait" ? first.observation : undefined;
    expect(decideLeader(leaderRow("v1"), me, observation, 121_000, 20_000)).toMatchObject({ action: "wait" });
    expect(decideLeader(leaderRow("v1"), me, observation, 121_001, 20_000)).toMatchObject({
      action: "take",
      // The longer lease of a Java fleet is kept.
      leaseDurationMs: 120_000,
      conditions: [{ attribute: "recordVersionNumber", is: "equal", value: { S: "v1" } }],
    });
  });

  test("of a live leader is left alone: each heartbeat starts the observation anew", () => {
    const first = decideLeader(leaderRow("v1"), me, undefined, 0, 20_000);
    const observation = first.action === "wait" ? first.observation : undefined;
    expect(decideLeader(leaderRow("v2"), me, observation, 500_000, 20_000)).toMatchObject({
      action: "wait",
      observation: { recordVersionNumber: "v2", since: 500_000 },
    });
  });

  test("has KCL's attributes and types", () => {
    expect(newLeaderRow("key", { workerId: "w", recordVersionNumber: "v", leaseDurationMs: 20_000 })).toEqual({
      key: { S: "Leader" },
      entityType: { S: "LEADER" },
      ownerName: { S: "w" },
      leaseDuration: { S: "20000" },
      recordVersionNumber: { S: "v" },
    });
  });
});

const version = (cv: string) => ({ versionRow: { cv: { S: cv } } });

const migration = (tm: string) => ({
  hasLegacyCoordinatorTable: true,
  migrationRow: { tm: { S: `TABLE_MIGRATION_STATUS_${tm}` } },
});

describe("joining a fleet", () => {
  const fresh: FleetFacts = {
    hasLegacyCoordinatorTable: false,
    migrationRow: undefined,
    versionRow: undefined,
    hasSingleTableRows: false,
    hasLeases: false,
    takeOverFrom2x: false,
    migrateTables: false,
  };

  test.each<[string, Partial<FleetFacts>, object]>([
    ["a new application: one table", {}, { ok: true, layout: "single", reportsTo: "lease-table" }],
    ["KCL 3.5 and ours", version("CLIENT_VERSION_3X"), { ok: true, layout: "single" }],
    ["with a way back", version("CLIENT_VERSION_3X_WITH_ROLLBACK"), { ok: true }],
    ["a fleet of KCL 2.x", version("CLIENT_VERSION_2X"), { ok: false, code: "ERR_FLEET_2X" }],
    ["a fleet on its way from 2.x", version("CLIENT_VERSION_UPGRADE_FROM_2X"), { ok: false, code: "ERR_FLEET_2X" }],
    ["an unknown version", version("CLIENT_VERSION_9X"), { ok: false, code: "ERR_FLEET_VERSION" }],
    ["a table of 2.x without a version", { hasLeases: true }, { ok: false, code: "ERR_FLEET_2X" }],
    ["the same, given up by 2.x", { hasLeases: true, takeOverFrom2x: true }, { ok: true, layout: "single" }],
    [
      "KCL 3.0 to 3.4: three tables",
      { hasLegacyCoordinatorTable: true },
      { ok: true, layout: "legacy", reportsTo: "legacy-table" },
    ],
    ["before the migration", migration("INIT"), { ok: true, layout: "legacy", reportsTo: "legacy-table" }],
    ["in the migration", migration("DEPLOYED"), { ok: true, layout: "migrating", reportsTo: "legacy-table" }],
    ["late in the migration", migration("PENDING"), { ok: true, layout: "migrating", reportsTo: "legacy-table" }],
    [
      "in the migration, all workers being of the new kind",
      { ...migration("PENDING"), migrateTables: true },
      { ok: true, layout: "migrating", reportsTo: "lease-table" },
    ],
    [
      "before the migration, told of the new kind too early",
      { ...migration("INIT"), migrateTables: true },
      { ok: false, code: "ERR_TABLE_MIGRATION" },
    ],
    ["after the migration", migration("COMPLETE"), { ok: true, layout: "single", reportsTo: "lease-table" }],
    [
      "an old worker beside a single-table fleet: two leaders",
      { hasLegacyCoordinatorTable: true, hasSingleTableRows: true },
      { ok: false, code: "ERR_MIXED_LAYOUTS" },
    ],
    ["a migration state from the future", migration("PAUSED"), { ok: false, code: "ERR_TABLE_MIGRATION" }],
  ])("%s", (_name, facts, decision) => {
    expect(decideLayout({ ...fresh, ...facts })).toMatchObject(decision);
  });

  test("the version's row is as a fresh worker of KCL 3.5 writes it", () => {
    expect(newVersionRow("leaseKey", "w", 1_700_000_000_123)).toEqual({
      leaseKey: { S: "Migration3.0" },
      entityType: { S: "CLIENT_VERSION_MIGRATION" },
      cv: { S: "CLIENT_VERSION_3X" },
      mb: { S: "w" },
      mts: { N: "1700000000123" },
      h: { L: [{ M: { cv: { S: "CLIENT_VERSION_INIT" }, mb: { S: "w" }, mts: { N: "1700000000123" } } }] },
    });
  });
});

describe("a worker's report", () => {
  const metrics = {
    workerId: "w",
    lastUpdateSeconds: 1_700_000_000,
    series: { C: [10.5, -1] },
    operatingRange: { C: 90 },
    supportCode: 1,
    supportSeconds: 1_700_000_000,
  };

  test("comes back as it was, in either table", () => {
    for (const keyAttribute of ["leaseKey", "wid"]) {
      const row = { ...metricsReport(metrics).set, [keyAttribute]: { S: "w" } };
      expect(parseWorkerMetrics(row, keyAttribute)).toEqual(metrics);
    }
  });

  test("without series is valid, one without a range is not", () => {
    const row = metricsReport({ ...metrics, series: {}, operatingRange: {} }).set ?? {};
    expect(parseWorkerMetrics({ ...row, leaseKey: { S: "w" } }, "leaseKey")).toMatchObject({ series: {} });
    const broken = { ...row, leaseKey: { S: "w" }, sts: { M: { C: { L: [{ N: "1" }] } } } };
    expect(parseWorkerMetrics(broken, "leaseKey")).toBeUndefined();
  });
});

describe("a shard's life", () => {
  const handling: ShardState = { phase: "handling", failures: 0, draining: undefined };
  const draining: ShardState = { phase: "handling", failures: 0, draining: "shutdown" };
  const states: Record<ShardState["phase"], ShardState> = {
    "waiting-for-parents": { phase: "waiting-for-parents" },
    handling,
    "backing-off": { phase: "backing-off", failures: 2 },
    finishing: { phase: "finishing" },
    releasing: { phase: "releasing", cause: "shutdown" },
    abandoned: { phase: "abandoned" },
    over: { phase: "over" },
  };
  const events: Record<string, ShardEvent> = {
    "parents-done": { type: "parents-done" },
    finished: { type: "handler-ended", ending: "finished", progressed: true },
    unfinished: { type: "handler-ended", ending: "unfinished", progressed: false },
    "backoff-over": { type: "backoff-over" },
    drain: { type: "drain", cause: "shutdown" },
    "shard-end-stored": { type: "finished" },
    released: { type: "released" },
    "lease-over": { type: "lease-over" },
  };
  // Rows are phases, columns events in the order above; "" means that the phase stays as it is.
  const table: Record<ShardState["phase"], readonly string[]> = {
    "waiting-for-parents": ["handling", "", "", "", "releasing", "", "", "over"],
    handling: ["", "finishing", "backing-off", "", "handling", "", "", "abandoned"],
    "backing-off": ["", "", "", "handling", "releasing", "", "", "over"],
    finishing: ["", "", "", "", "", "over", "", "over"],
    releasing: ["", "", "", "", "", "", "over", "over"],
    abandoned: ["", "over", "over", "", "", "", "", ""],
    over: ["", "", "", "", "", "", "", ""],
  };

  test.each(Object.values(states))("$phase goes where the table says", (state) => {
    const reached = Object.values(events).map((event) => {
      const next = stepShard(state, event);
      return next === state ? "" : next.phase;
    });
    expect(reached).toEqual(table[state.phase]);
  });

  test("a handler that was asked to end is followed by the release, one at shard end by the end", () => {
    const unfinished = stepShard(draining, { type: "handler-ended", ending: "unfinished", progressed: false });
    expect(unfinished).toEqual({ phase: "releasing", cause: "shutdown" });
    const finished = stepShard(draining, { type: "handler-ended", ending: "finished", progressed: true });
    expect(finished).toEqual({ phase: "finishing" });
  });

  test("failures in a row are counted until there is progress", () => {
    const failed: ShardState = { phase: "handling", failures: 3, draining: undefined };
    const again = { type: "handler-ended", ending: "unfinished" } as const;
    expect(stepShard(failed, { ...again, progressed: false })).toMatchObject({ failures: 4 });
    expect(stepShard(failed, { ...again, progressed: true })).toMatchObject({ failures: 1 });
  });

  test("health names what keeps it", () => {
    const facts = {
      state: handling as ShardState,
      waitingForParents: [],
      stoppedBecause: undefined,
      heldUpBy: undefined,
      lastFailure: undefined,
      readFailure: undefined,
      handler: "has-batch" as const,
      sincePhaseMs: 100,
      sinceReadMs: 100,
      readSilenceMs: 20_000,
      sinceDeliveryMs: 100,
      sinceRenewalMs: 100,
      failoverTimeMs: 10_000,
    };
    expect(troubleOf(facts)).toBeUndefined();
    expect(troubleOf({ ...facts, sinceDeliveryMs: 30_000 })).toMatch(/had its batch for 30 s/);
    const quiet = { ...facts, sinceDeliveryMs: 30_000, handler: "waiting" as const };
    expect(troubleOf(quiet)).toBeUndefined();
    expect(troubleOf({ ...quiet, readFailure: "AccessDeniedException: no" })).toMatch(/cannot be read.*no$/);
    expect(troubleOf({ ...quiet, sinceReadMs: 25_000 })).toMatch(/nothing was heard of it for 25 s/);
    expect(troubleOf({ ...quiet, handler: "elsewhere" })).toMatch(/has not asked for a batch for 30 s/);
    expect(troubleOf({ ...quiet, handler: "elsewhere", lastFailure: "Error: x" })).toMatch(
      /call before failed: Error: x/,
    );
    expect(troubleOf({ ...facts, handler: "not-called", sincePhaseMs: 6_000 })).toMatch(/place to begin/);
    expect(troubleOf({ ...facts, state: states.finishing, sincePhaseMs: 6_000 })).toMatch(
      /end is not stored after 6 s/,
    );
    expect(troubleOf({ ...facts, state: states.releasing, sincePhaseMs: 6_000 })).toMatch(/not given up after 6 s/);
    expect(troubleOf({ ...facts, heldUpBy: "record 1 has failed" })).toBe("record 1 has failed");
    expect(troubleOf({ ...facts, sinceRenewalMs: 8_000 })).toMatch(/last renewed 8000 ms ago/);
    expect(troubleOf({ ...facts, stoppedBecause: "poison" })).toMatch(/stopped: poison/);
    const waiting = { ...facts, state: states["waiting-for-parents"], waitingForParents: ["s1", "s2"] };
    expect(troubleOf(waiting)).toMatch(/the end of s1 and s2/);
  });
});

describe("the pace of polling [C6]", () => {
  const pace = { tipIntervalMs: 1_000, throttles: 0 };
  const outcome = { type: "records", bytes: 0, millisBehindLatest: 0 } as const;

  test("is once a second at the tip, faster when behind, and never five calls a second", () => {
    expect(nextPoll(pace, outcome, 0).intervalMs).toBe(1_000);
    expect(nextPoll(pace, { ...outcome, millisBehindLatest: 5_000 }, 0).intervalMs).toBe(250);
  });

  test("pays back what a large answer took of the shard's two megabytes a second", () => {
    const bytes = 10 * 1024 * 1024;
    expect(nextPoll(pace, { ...outcome, bytes, millisBehindLatest: 5_000 }, 0).intervalMs).toBe(5_000);
  });

  test("slows down on throttles, and comes back one step at a time", () => {
    const throttled = nextPoll(pace, { ...outcome, type: "throttled" }, 0.5);
    expect(throttled.intervalMs).toBeGreaterThanOrEqual(500);
    const twice = nextPoll(throttled.pace, { ...outcome, type: "throttled" }, 0.5);
    expect(twice.intervalMs).toBeGreaterThan(throttled.intervalMs);
    const better = nextPoll(twice.pace, outcome, 0.5);
    expect(better.pace.throttles).toBe(1);
    expect(better.intervalMs).toBe(2_000);
  });
});
