import { KinesisError, type Shard } from "@millrace/core/kinesis";
import type { ApplicationReport, LeaseReport } from "@millrace/consumer/operate";
import { expect, test } from "vitest";
import { judgeApplication, judgeClock, judgeFailure, judgeLag, judgeStream } from "./finding.ts";

const nowMs = 1_800_000_000_000;

const shard = (number: number, change: Partial<Shard> = {}): Shard => ({
  shardId: `shardId-00000000000${number}`,
  parentShardId: undefined,
  adjacentParentShardId: undefined,
  startingHashKey: 0n,
  endingHashKey: 1n,
  startingSequenceNumber: "1",
  endingSequenceNumber: undefined,
  ...change,
});

const lease = (number: number, change: Partial<LeaseReport> = {}): LeaseReport => ({
  leaseKey: shard(number).shardId,
  shardId: shard(number).shardId,
  streamIdentifier: undefined,
  owner: "a",
  nextOwner: undefined,
  leaseCounter: "7",
  checkpoint: "TRIM_HORIZON",
  isFinished: false,
  parentShardIds: [],
  childShardIds: [],
  failedAttempts: 0,
  ...change,
});

const report = (change: Partial<ApplicationReport> = {}): ApplicationReport => ({
  leaseTable: "app",
  leader: "a",
  leases: [lease(0)],
  workers: [{ workerId: "a", lastReportMs: nowMs, isActive: true, leases: 1 }],
  ...change,
});

const error = (code: string, kind: "permanent" | "throttle") =>
  new KinesisError({ code, kind, message: "m", mayHaveTakenEffect: false });

const troubles = (application: ApplicationReport, shards: readonly Shard[] = [shard(0)]) =>
  judgeApplication(application, shards).filter(({ verdict }) => verdict !== "ok");

test.each([
  [0, "ok"],
  [29_000, "ok"],
  [-31_000, "warn"],
  [299_000, "warn"],
  [300_000, "fail"],
  [-300_000, "fail"],
])("a clock that is %i ms off is judged %s", (skewMs, verdict) => {
  expect(judgeClock(nowMs, nowMs + skewMs).verdict).toBe(verdict);
});

test("a fleet in order gives no trouble", () => {
  expect(troubles(report())).toEqual([]);
});

test.each<[string, Partial<ApplicationReport>, RegExp]>([
  ["nobody leads", { leader: undefined }, /nobody leads/],
  ["the leader is silent", { leader: "gone" }, /gone leads and does not report/],
  ["a shard is unowned", { leases: [lease(0, { owner: undefined })] }, /nobody reads shardId-000000000000/],
  ["an owner is silent", { leases: [lease(0, { owner: "gone" })] }, /the owner does not report/],
  ["a record is poison", { leases: [lease(0, { failedAttempts: 3 })] }, /3 failed attempts/],
  ["nobody works", { workers: [] }, /no worker has reported/],
])("%s: told", (_, change, words) => {
  expect(troubles(report(change)).map(({ what }) => what)).toEqual([expect.stringMatching(words)]);
});

test("a finished shard without owner is as it should be", () => {
  const leases = [lease(0), lease(1, { owner: undefined, isFinished: true, checkpoint: "SHARD_END" })];
  expect(troubles(report({ leases }))).toEqual([]);
});

test("an open shard that no lease leads to is told; one whose parent has a lease is not", () => {
  const shards = [shard(0), shard(1), shard(2, { parentShardId: shard(0).shardId })];
  expect(troubles(report(), shards).map(({ what }) => what)).toEqual(["no lease leads to shardId-000000000001"]);
});

test("a failure comes with what to do about it", () => {
  expect(judgeFailure("GetRecords", error("AccessDeniedException", "permanent"))).toMatchObject({
    verdict: "fail",
    advice: "Allow kinesis:GetRecords on the stream.",
  });
  expect(judgeFailure("ListShards", error("LimitExceededException", "throttle")).verdict).toBe("warn");
});

test("an AUTO stream and a stream that is being deleted are told", () => {
  const stream = {
    streamName: "s",
    streamArn: "arn",
    streamStatus: "DELETING",
    streamMode: "ON_DEMAND",
    streamCreationTimestamp: new Date(0),
    retentionPeriodHours: 24,
    openShardCount: 4,
    maxRecordSizeKiB: 1024,
    recordDistributionStrategy: "AUTO",
  } as const;
  expect(judgeStream(stream).map(({ verdict }) => verdict)).toEqual(["fail", "warn"]);
});

test("a minute behind is worth a warning", () => {
  expect([judgeLag("s", 59_999).verdict, judgeLag("s", 60_000).verdict]).toEqual(["ok", "warn"]);
});
