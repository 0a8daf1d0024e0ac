import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import { eligibleWorkers, suspectsAfter } from "./fleet.ts";
import { planAssignment as planRound } from "./lease-assignment.ts";
import type { AssignmentDecision, AssignmentInput } from "./placement.ts";
import { isExpired, observeCounters } from "./lease-expiry.ts";
import type { Lease } from "./lease.ts";
import { newLeaseRow, parseLease } from "./lease.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

function lease(number: number, fields: Partial<Lease> = {}): Lease {
  const leaseKey = `shardId-${String(number).padStart(12, "0")}`;
  const row = newLeaseRow({
    leaseKey,
    shardId: leaseKey,
    checkpoint: sentinel("TRIM_HORIZON"),
    parentShardIds: [],
    hashRange: undefined,
  });
  const parsed = parseLease(row);
  if (parsed === undefined) throw new Error("no lease");
  return { ...parsed, ...fields };
}

function input(fields: Partial<Omit<AssignmentInput, "workers">> & { workers?: readonly string[] }): AssignmentInput {
  const { leases = [], workers = ["a", "b"] } = fields;
  return {
    strategy: "count",
    leases,
    settling: new Set(),
    observations: observeCounters(new Map(), leases, 0),
    now: 0,
    failoverTimeMs: 10_000,
    maxLeasesPerWorker: Number.MAX_SAFE_INTEGER,
    balance: true,
    isHandOffOverdue: () => false,
    maxThroughputPerWorkerKBps: Infinity,
    rebalanceThresholdPercent: 10,
    rebalanceDampeningPercent: 60,
    ...fields,
    workers: workers.map((workerId) => worker(workerId)),
  };
}

const planAssignment = (round: AssignmentInput): readonly AssignmentDecision[] => planRound(round).decisions;

/** Who has what once the decisions are carried out. */
function countsAfter(leases: readonly Lease[], decisions: ReturnType<typeof planAssignment>): Map<string, number> {
  const owners = new Map(leases.map((item) => [item.leaseKey, item.leaseOwner]));
  for (const { lease: moved, receiver } of decisions) owners.set(moved.leaseKey, receiver);
  const counts = new Map<string, number>();
  for (const owner of owners.values()) if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
}

describe("assignment by count", () => {
  test("after a round every lease has an owner and counts differ by at most one, whoever had what [C8]", () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (owners, workerCount) => {
          const workers = Array.from({ length: workerCount }, (_, index) => `w${index}`);
          const leases = owners.map((owner, index) =>
            lease(index, { leaseOwner: owner === undefined ? undefined : `w${owner % workerCount}` }),
          );
          const decisions = planAssignment(input({ leases, workers }));
          const counts = workers.map((name) => countsAfter(leases, decisions).get(name) ?? 0);
          expect(counts.reduce((a, b) => a + b, 0)).toBe(leases.length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test("a lease that is slow to be renewed, and whose owner is to keep it, is not written to", () => {
    // Worker a is paused for longer than the failover time, and reports again before the leader looks: a leader that
    // assigns the lease to it once more raises the counter, and a's next renewal ends a's own tenure.
    const leases = [lease(0, { leaseOwner: "a" })];
    const observations = observeCounters(new Map(), leases, 0);
    const late = { leases, observations, now: 10_001 };
    expect(planAssignment(input({ ...late, workers: ["a"] }))).toEqual([]);
    expect(planAssignment(input({ ...late, workers: ["b"] }))).toMatchObject([{ receiver: "b", cause: "expired" }]);
    // A hand-off that stands still has to be ended, whoever gets the lease.
    const draining = [lease(0, { leaseOwner: "a", checkpointOwner: "b" })];
    const ended = planAssignment(input({ ...late, leases: draining, workers: ["a"] }));
    expect(ended).toMatchObject([{ receiver: "a", cause: "expired" }]);
  });

  test("a balanced fleet is left alone: no lease moves without need", () => {
    const leases = [0, 1, 2].map((number) => lease(number, { leaseOwner: number === 0 ? "a" : "b" }));
    expect(planAssignment(input({ leases }))).toEqual([]);
  });

  test("moves no more leases than the imbalance asks for, and gracefully", () => {
    const leases = [0, 1, 2, 3, 4, 5].map((number) => lease(number, { leaseOwner: "a" }));
    const decisions = planAssignment(input({ leases }));
    expect(decisions).toHaveLength(3);
    expect(decisions.every(({ type, receiver }) => type === "hand-off" && receiver === "b")).toBe(true);
  });

  test("ties are broken by count, so a fresh fleet is even where KCL gives all to two workers [C8]", () => {
    const leases = Array.from({ length: 24 }, (_, index) => lease(index));
    const workers = Array.from({ length: 8 }, (_, index) => `w${index}`);
    const counts = countsAfter(leases, planAssignment(input({ leases, workers })));
    expect([...counts.values()]).toEqual(Array.from({ length: 8 }, () => 3));
  });

  test("no worker gets more than its bound; what is left over waits", () => {
    const leases = [0, 1, 2, 3, 4].map((number) => lease(number));
    expect(planAssignment(input({ leases, maxLeasesPerWorker: 2 }))).toHaveLength(4);
  });

  test("a pending hand-off is left alone until it is overdue", () => {
    const leases = [lease(0, { leaseOwner: "b", checkpointOwner: "a" })];
    expect(planAssignment(input({ leases }))).toEqual([]);
    const overdue = planAssignment(input({ leases, isHandOffOverdue: () => true }));
    expect(overdue).toMatchObject([{ type: "assign", cause: "hand-off-timed-out" }]);
  });
});

describe("expiry", () => {
  test("is told by counters on the observer's clock: a new leader waits the failover time before it takes anything", () => {
    const leases = [lease(0, { leaseOwner: "dead", leaseCounter: 7n })];
    const first = observeCounters(new Map(), leases, 1_000);
    expect(isExpired(leases[0] as Lease, first, 1_000, 10_000)).toBe(false);
    const second = observeCounters(first, leases, 6_000);
    expect(isExpired(leases[0] as Lease, second, 11_000, 10_000)).toBe(false);
    expect(isExpired(leases[0] as Lease, second, 11_001, 10_000)).toBe(true);
  });

  test("a renewal between two scans starts the time anew", () => {
    const before = observeCounters(new Map(), [lease(0, { leaseOwner: "a", leaseCounter: 7n })], 0);
    const renewed = lease(0, { leaseOwner: "a", leaseCounter: 8n });
    expect(isExpired(renewed, observeCounters(before, [renewed], 9_000), 12_000, 10_000)).toBe(false);
  });
});

function worker(workerId: string, fields: Partial<WorkerMetrics> = {}): WorkerMetrics {
  return {
    workerId,
    lastUpdateSeconds: 1_000,
    series: {},
    operatingRange: {},
    supportCode: 1,
    supportSeconds: 1_000,
    ...fields,
  };
}

describe("workers", () => {
  test("are eligible while their report is fresh and their captures succeed", () => {
    const workers = [
      worker("old", { lastUpdateSeconds: 900 }),
      worker("failing", { series: { C: [10, -1] }, operatingRange: { C: 100 } }),
      worker("fine"),
    ];
    expect(eligibleWorkers({ workers }, new Map(), 1_000_000).map(({ workerId }) => workerId)).toEqual(["fine"]);
  });

  test("that let all their leases expire get nothing until they report again", () => {
    const leases = [lease(0, { leaseOwner: "dead" })];
    const observed = observeCounters(new Map(), leases, 0);
    const fleet = { leases, workers: [worker("dead"), worker("alive")] };
    const suspects = suspectsAfter(new Map(), fleet, observed, 10_001, 10_000);
    expect(eligibleWorkers(fleet, suspects, 1_000_000).map(({ workerId }) => workerId)).toEqual(["alive"]);
    // Its leases are gone now, but its report is still the old one.
    const later = { ...fleet, leases: [] };
    expect(suspectsAfter(suspects, later, observed, 20_000, 10_000).has("dead")).toBe(true);
    const back = { leases: [], workers: [worker("dead", { lastUpdateSeconds: 1_030 })] };
    expect(suspectsAfter(suspects, back, observed, 30_000, 10_000).has("dead")).toBe(false);
  });
});
