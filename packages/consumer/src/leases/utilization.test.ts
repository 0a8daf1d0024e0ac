import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import { chooseStrategy, eligibleWorkers } from "./fleet.ts";
import { planAssignment as planRound } from "./lease-assignment.ts";
import { observeCounters } from "./lease-expiry.ts";
import { newLeaseRow, parseLease, type Lease } from "./lease.ts";
import type { AssignmentDecision, AssignmentInput } from "./placement.ts";
import { smoothedSeries, type WorkerMetrics } from "./worker-metrics.ts";

function lease(number: number, owner: string | undefined, throughputKBps?: number): Lease {
  const leaseKey = `shardId-${String(number).padStart(12, "0")}`;
  const row = newLeaseRow({
    leaseKey,
    shardId: leaseKey,
    checkpoint: sentinel("TRIM_HORIZON"),
    parentShardIds: [],
    hashRange: undefined,
  });
  return { ...(parseLease(row) as Lease), leaseOwner: owner, throughputKBps };
}

function worker(workerId: string, cpu?: readonly number[], fields: Partial<WorkerMetrics> = {}): WorkerMetrics {
  return {
    workerId,
    lastUpdateSeconds: 1_000,
    series: cpu === undefined ? {} : { C: cpu },
    operatingRange: cpu === undefined ? {} : { C: 100 },
    supportCode: 1,
    supportSeconds: 1_000,
    process: "p",
    ...fields,
  };
}

function input(leases: readonly Lease[], workers: readonly WorkerMetrics[], fields: Partial<AssignmentInput> = {}) {
  return {
    strategy: "utilization",
    leases,
    workers,
    settling: new Set<string>(),
    observations: observeCounters(new Map(), leases, 0),
    now: 0,
    failoverTimeMs: 10_000,
    balance: true,
    isHandOffOverdue: () => false,
    maxLeasesPerWorker: Number.MAX_SAFE_INTEGER,
    maxThroughputPerWorkerKBps: Number.MAX_SAFE_INTEGER,
    rebalanceThresholdPercent: 10,
    rebalanceDampeningPercent: 60,
    ...fields,
  } satisfies AssignmentInput;
}

const planAssignment = (round: AssignmentInput): readonly AssignmentDecision[] => planRound(round).decisions;

/** The leases once the decisions are carried out. */
function after(leases: readonly Lease[], decisions: readonly AssignmentDecision[]): Lease[] {
  const receivers = new Map(decisions.map((decision) => [decision.lease.leaseKey, decision.receiver]));
  return leases.map((item) => ({ ...item, leaseOwner: receivers.get(item.leaseKey) ?? item.leaseOwner }));
}

function loadsOf(leases: readonly Lease[], workers: readonly WorkerMetrics[]): number[] {
  return workers.map(({ workerId }) =>
    leases.reduce((sum, item) => sum + (item.leaseOwner === workerId ? (item.throughputKBps ?? 0) : 0), 0),
  );
}

function countsOf(leases: readonly Lease[], workers: readonly WorkerMetrics[]): number[] {
  return workers.map(({ workerId }) => leases.filter((item) => item.leaseOwner === workerId).length);
}

const moves = (decisions: readonly AssignmentDecision[]): string[] =>
  decisions.map(
    ({ lease: item, receiver }) => `${item.leaseOwner ?? "-"} ${item.throughputKBps ?? "?"} -> ${receiver}`,
  );

const fleetOf = (count: number): WorkerMetrics[] => Array.from({ length: count }, (_, index) => worker(`w${index}`));

describe("leases without an owner", () => {
  test("go evenly to a fleet that knows no throughput, where KCL gives all to two workers of eight [C8]", () => {
    const leases = Array.from({ length: 24 }, (_, index) => lease(index, undefined));
    const workers = fleetOf(8);
    expect(countsOf(after(leases, planAssignment(input(leases, workers))), workers)).toEqual(workers.map(() => 3));
  });

  test("go evenly to a fleet whose CPU is 0 everywhere [C8]", () => {
    const leases = Array.from({ length: 10 }, (_, index) => lease(index, undefined));
    const workers = ["a", "b", "c", "d", "e"].map((name) => worker(name, [0]));
    expect(countsOf(after(leases, planAssignment(input(leases, workers))), workers)).toEqual([2, 2, 2, 2, 2]);
  });

  test("go to the worker with the most CPU left, and grow its load as they go", () => {
    const owned = [lease(0, "busy", 100), lease(1, "idle", 100)];
    const leases = [...owned, ...[2, 3, 4, 5].map((number) => lease(number, undefined, 100))];
    const workers = [worker("busy", [60]), worker("idle", [20])];
    const decisions = planAssignment(input(leases, workers, { balance: false }));
    expect(decisions.map(({ receiver }) => receiver)).toEqual(["idle", "idle", "idle", "busy"]);
  });

  test.each<[string, Partial<AssignmentInput>, number]>([
    ["the bound on leases", { maxLeasesPerWorker: 2 }, 4],
    ["the bound on throughput: what reaches it gets no more", { maxThroughputPerWorkerKBps: 150 }, 4],
    ["no bound", {}, 5],
  ])("heed %s", (_name, limits, assigned) => {
    const leases = [0, 1, 2, 3, 4].map((number) => lease(number, undefined, 100));
    const decisions = planAssignment(input(leases, [worker("a"), worker("b")], { ...limits, balance: false }));
    expect(decisions).toHaveLength(assigned);
  });

  test("a worker past its operating range gets a lease only where there is no other", () => {
    const leases = [lease(0, undefined, 10)];
    const hot = worker("hot", [80], { operatingRange: { C: 70 } });
    expect(planAssignment(input(leases, [hot, worker("full", [95])]))).toMatchObject([{ receiver: "full" }]);
    expect(planAssignment(input(leases, [hot]))).toMatchObject([{ receiver: "hot" }]);
  });
});

describe("balancing", () => {
  test.each<[string, Lease[], WorkerMetrics[], string[]]>([
    [
      "takes 60 percent of the excess, the largest lease that fits first",
      [lease(0, "a", 50), lease(1, "a", 40), lease(2, "a", 10), lease(3, "b", 20)],
      [worker("a"), worker("b")],
      ["a 10 -> b"],
    ],
    [
      "moves the smallest lease where none fits",
      [lease(0, "a", 100), lease(1, "a", 120)],
      [worker("a"), worker("b")],
      ["a 100 -> b"],
    ],
    [
      "moves the smallest although the receiver then is past the average: the fleet is more even than before",
      [lease(0, "a", 100), lease(1, "a", 100)],
      [worker("a"), worker("b"), worker("c")],
      ["a 100 -> b"],
    ],
    [
      "leaves a fleet alone that no move makes more even",
      [lease(0, "a", 100), lease(1, "a", 100), lease(2, "b", 100)],
      [worker("a"), worker("b")],
      [],
    ],
    [
      "leaves leases without throughput alone, which KCL moves for ever",
      [lease(0, "a", 0), lease(1, "a", 0), lease(2, "b", 100), lease(3, "b", 90), lease(4, "b", 80)],
      [worker("a", [50]), worker("b", [20])],
      [],
    ],
    [
      "leaves CPU of 4 against 1 percent alone: the band has points besides percents",
      [lease(0, "a", 10), lease(1, "a", 10), lease(2, "b", 10)],
      [worker("a", [4]), worker("b", [1])],
      [],
    ],
    [
      "goes by CPU where it is reported: throughput is even, its cost is not",
      [0, 1, 2, 3, 4, 5].map((number) => lease(number, number < 3 ? "a" : "b", 10)),
      [worker("a", [90]), worker("b", [10])],
      ["a 10 -> b"],
    ],
    [
      "relieves a worker past its operating range although it is within the band",
      Array.from({ length: 100 }, (_, number) => lease(number, number < 50 ? "a" : "b", 1)),
      [worker("a", [52], { operatingRange: { C: 50 } }), worker("b", [48], { operatingRange: { C: 99 } })],
      ["a 1 -> b"],
    ],
    [
      "evens counts where nothing was ever delivered [C8]",
      [0, 1, 2, 3].map((number) => lease(number, "a")),
      [worker("a"), worker("b")],
      ["a ? -> b", "a ? -> b"],
    ],
  ])("%s", (_name, leases, workers, expected) => {
    expect(moves(planAssignment(input(leases, workers)))).toEqual(expected);
  });

  test("workers whose reports do not show their last moves yet neither give nor get", () => {
    const leases = [0, 1, 2, 3].map((number) => lease(number, "a", 10));
    const workers = [worker("a", [90]), worker("b", [10]), worker("c", [10])];
    const decisions = planAssignment(input(leases, workers, { settling: new Set(["b"]) }));
    expect(decisions.map(({ receiver }) => receiver)).toEqual(["c"]);
    expect(planAssignment(input(leases, workers, { settling: new Set(["a"]) }))).toEqual([]);
  });

  test("does not take what it has just given: leases on their way count for their receiver", () => {
    const onItsWay: Lease = { ...lease(2, "b", 50), checkpointOwner: "a" };
    const leases = [lease(0, "a", 50), onItsWay];
    expect(planAssignment(input(leases, [worker("a"), worker("b")]))).toEqual([]);
  });
});

const fleets = fc.record({
  workers: fc.integer({ min: 1, max: 7 }),
  leases: fc.array(
    fc.record({
      owner: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
      throughput: fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 40 },
  ),
});

describe("whatever the fleet is", () => {
  test("after a round every lease has an owner, and no bound is passed [C8]", () => {
    fc.assert(
      fc.property(fleets, fc.integer({ min: 1, max: 20 }), (fleet, maxLeasesPerWorker) => {
        const workers = fleetOf(fleet.workers);
        const leases = fleet.leases.map(({ throughput }, index) => lease(index, undefined, throughput));
        const placed = after(leases, planAssignment(input(leases, workers, { maxLeasesPerWorker })));
        const room = maxLeasesPerWorker * workers.length;
        expect(placed.filter((item) => item.leaseOwner !== undefined)).toHaveLength(Math.min(room, leases.length));
        expect(Math.max(...countsOf(placed, workers))).toBeLessThanOrEqual(maxLeasesPerWorker);
      }),
    );
  });

  test("balancing comes to an end, and ends where the busiest worker can give nothing away usefully [C8]", () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const workers = fleetOf(fleet.workers);
        let leases = fleet.leases.map(({ owner, throughput }, index) =>
          lease(index, owner === undefined ? undefined : `w${owner % fleet.workers}`, throughput ?? 1),
        );
        let rounds = 0;
        for (;;) {
          const decisions = planAssignment(input(leases, workers));
          if (decisions.length === 0) break;
          const before = loadsOf(leases, workers);
          const owned = leases.every((item) => item.leaseOwner !== undefined);
          leases = after(leases, decisions);
          // No move makes the busiest worker busier.
          // Leases without an owner add to loads.
          const bound = owned ? Math.max(...before) + 1e-6 : Infinity;
          expect(Math.max(...loadsOf(leases, workers))).toBeLessThanOrEqual(bound);
          expect(++rounds).toBeLessThan(200);
        }
        const loads = loadsOf(leases, workers);
        const average = loads.reduce((sum, load) => sum + load, 0) / loads.length;
        const busiest = workers[loads.indexOf(Math.max(...loads))]?.workerId;
        const smallest = Math.min(
          ...leases.flatMap((item) =>
            item.leaseOwner === busiest && (item.throughputKBps ?? 0) > 0 ? [item.throughputKBps ?? 0] : [],
          ),
        );
        const spread = Math.max(...loads) - Math.min(...loads);
        expect(spread).toBeLessThanOrEqual(Math.max(smallest, average * 0.2) + 1e-6);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the fleet's strategy", () => {
  const java = worker("java", undefined, { process: undefined });
  test.each([
    ["auto", [worker("a")], "count"],
    ["auto", [worker("a"), worker("b", [1])], "utilization"],
    ["auto", [worker("a"), java], "utilization"],
    ["count", [java], "count"],
    ["utilization", [worker("a")], "utilization"],
  ] as const)("%s over %j is %s", (option, workers, strategy) => {
    expect(chooseStrategy(option, workers)).toBe(strategy);
  });
});

const eligibleNames = (workers: readonly WorkerMetrics[]): string[] =>
  eligibleWorkers({ workers }, new Map(), 1_000_000).map(({ workerId }) => workerId);

test("where every worker's measurement fails, they are given leases all the same [C8]", () => {
  const failing = [worker("a", [10, -1]), worker("b", [-1])];
  expect(eligibleNames([...failing, worker("c", [10])])).toEqual(["c"]);
  expect(eligibleNames(failing)).toEqual(["a", "b"]);
  const leases = [lease(0, undefined), lease(1, undefined)];
  expect(countsOf(after(leases, planAssignment(input(leases, failing))), failing)).toEqual([1, 1]);
});

test("a series is smoothed from its oldest value, without its gaps", () => {
  expect(smoothedSeries([40, -1, 20, 10])).toBe(20);
  expect(smoothedSeries([-1, -1])).toBeUndefined();
});
