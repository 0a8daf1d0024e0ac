/**
 * Pure. A lease: one worker's right to read one shard, and its row in KCL's lease table.
 *
 * Source of every attribute: kcl.md 1.3 (KCL Java 3.5.1). `leaseCounter` rises with every renewal, take, assignment and
 * checkpoint of a row's life, so it is both heartbeat and fencing number.
 */
import { isCheckpointText, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { parseAttempts, type Attempts } from "./attempts.ts";
import { integerOf, numberAttribute, numberOf, textOf, textsOf, type Attribute, type Row } from "./table-row.ts";

/** The hash keys that go to a shard, both ends included. */
export interface HashRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** A lease as its row tells it. */
export interface Lease {
  /** The shard's id; with several streams `account:stream:creationEpoch:shardId`. */
  readonly leaseKey: string;
  readonly shardId: string;
  /** With several streams only: `account:stream:creationEpoch`. */
  readonly streamIdentifier: string | undefined;
  /** Who has it; during a hand-off, who is to have it next. */
  readonly leaseOwner: string | undefined;
  /** Only during a graceful hand-off: who still drains it. */
  readonly checkpointOwner: string | undefined;
  readonly leaseCounter: bigint;
  readonly checkpoint: Checkpoint;
  readonly pendingCheckpoint: Checkpoint | undefined;
  /** The application's own bytes of a two-phase checkpoint. */
  readonly pendingCheckpointState: Uint8Array | undefined;
  readonly ownerSwitchesSinceCheckpoint: number;
  readonly parentShardIds: readonly string[];
  readonly childShardIds: readonly string[];
  readonly hashRange: HashRange | undefined;
  /** Moving average of delivered bytes; undefined until the first record. */
  readonly throughputKBps: number | undefined;
  /** Ours: while `checkpoint` is LATEST, reading starts at this time of the service, milliseconds since 1970. */
  readonly latestSinceMs: number | undefined;
  /** Ours: calls of a handler on the record after the checkpoint, over the life of all workers. */
  readonly attempts: Attempts | undefined;
}

/** Name of a private attribute; Java workers leave it as it is. */
export const latestSinceAttribute = "millraceLatestSinceMs";

/** Who reads the shard now: the draining owner during a hand-off, else the owner. */
export function actualOwner(lease: Lease): string | undefined {
  return lease.checkpointOwner ?? lease.leaseOwner;
}

/** True when a row of the lease table is a lease: rows of KCL 2.x and up to 3.4 carry no `entityType`. */
export function isLeaseRow(row: Row): boolean {
  const entityType = textOf(row, "entityType");
  return entityType === undefined || entityType === "LEASE";
}

function checkpointOf(row: Row, name: string, subName: string): Checkpoint | undefined {
  const sequenceNumber = textOf(row, name);
  if (sequenceNumber === undefined || !isCheckpointText(sequenceNumber)) return undefined;
  return { sequenceNumber, subSequenceNumber: numberOf(row, subName) ?? 0 };
}

function hashRangeOf(row: Row): HashRange | undefined {
  const start = textOf(row, "startingHashKey");
  const end = textOf(row, "endingHashKey");
  if (start === undefined || end === undefined || !/^\d+$/.test(start) || !/^\d+$/.test(end)) return undefined;
  const range = { start: BigInt(start), end: BigInt(end) };
  return range.start < range.end ? range : undefined;
}

/** The lease in a row; undefined when the row is none, or lacks what a lease must have. */
export function parseLease(row: Row): Lease | undefined {
  if (!isLeaseRow(row)) return undefined;
  const leaseKey = textOf(row, "leaseKey");
  const checkpoint = checkpointOf(row, "checkpoint", "checkpointSubSequenceNumber");
  if (leaseKey === undefined || checkpoint === undefined) return undefined;
  const pendingState = row["pendingCheckpointState"];
  return {
    leaseKey,
    shardId: textOf(row, "shardId") ?? leaseKey.slice(leaseKey.lastIndexOf(":") + 1),
    streamIdentifier: textOf(row, "streamName"),
    leaseOwner: textOf(row, "leaseOwner"),
    checkpointOwner: textOf(row, "checkpointOwner"),
    leaseCounter: integerOf(row, "leaseCounter") ?? 0n,
    checkpoint,
    pendingCheckpoint: checkpointOf(row, "pendingCheckpoint", "pendingCheckpointSubSequenceNumber"),
    pendingCheckpointState: pendingState !== undefined && "B" in pendingState ? pendingState.B : undefined,
    ownerSwitchesSinceCheckpoint: numberOf(row, "ownerSwitchesSinceCheckpoint") ?? 0,
    parentShardIds: textsOf(row, "parentShardId"),
    childShardIds: textsOf(row, "childShardIds"),
    hashRange: hashRangeOf(row),
    throughputKBps: numberOf(row, "throughputKBps"),
    latestSinceMs: numberOf(row, latestSinceAttribute),
    attempts: parseAttempts(row, checkpoint),
  };
}

/** What a new lease is made of. */
export interface NewLease {
  readonly leaseKey: string;
  readonly shardId: string;
  readonly streamIdentifier?: string | undefined;
  readonly checkpoint: Checkpoint;
  readonly parentShardIds: readonly string[];
  readonly hashRange: HashRange | undefined;
  readonly latestSinceMs?: number | undefined;
  /** Set when the creator keeps the lease, as with the children of a shard that it has just finished. */
  readonly leaseOwner?: string | undefined;
}

/** The attributes of a lease's hash range. */
export function hashRangeAttributes(range: HashRange): Record<string, Attribute> {
  return { startingHashKey: { S: range.start.toString() }, endingHashKey: { S: range.end.toString() } };
}

/** The row of a new lease. Empty sets and strings are left out: DynamoDB refuses them. */
export function newLeaseRow(lease: NewLease): Row {
  const row: Record<string, Attribute> = {
    leaseKey: { S: lease.leaseKey },
    entityType: { S: "LEASE" },
    leaseCounter: { N: "0" },
    ownerSwitchesSinceCheckpoint: { N: "0" },
    checkpoint: { S: lease.checkpoint.sequenceNumber },
    checkpointSubSequenceNumber: { N: String(lease.checkpoint.subSequenceNumber) },
  };
  if (lease.parentShardIds.length > 0) row["parentShardId"] = { SS: [...lease.parentShardIds] };
  if (lease.hashRange !== undefined) Object.assign(row, hashRangeAttributes(lease.hashRange));
  if (lease.leaseOwner !== undefined) row["leaseOwner"] = { S: lease.leaseOwner };
  if (lease.latestSinceMs !== undefined) row[latestSinceAttribute] = numberAttribute(lease.latestSinceMs);
  if (lease.streamIdentifier !== undefined) {
    row["streamName"] = { S: lease.streamIdentifier };
    row["shardId"] = { S: lease.shardId };
  }
  return row;
}
