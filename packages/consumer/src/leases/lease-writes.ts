/**
 * Pure. Every change of a lease row, with the condition under which it may happen [C4].
 *
 * Source: kcl.md 1.4, KCL's DynamoDBLeaseRefresher. Our deletes are conditional where KCL's are not.
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { attemptsAttribute, attemptsValue, type Attempts } from "./attempts.ts";
import { hashRangeAttributes, latestSinceAttribute, type HashRange, type Lease } from "./lease.ts";
import { numberAttribute, type Attribute, type Condition, type RowUpdate } from "./table-row.ts";

function equal(attribute: string, value: Attribute): Condition {
  return { attribute, is: "equal", value };
}

function counterIs(lease: Lease): Condition {
  return equal("leaseCounter", numberAttribute(lease.leaseCounter));
}

/** The attribute still says what was seen. */
function ownerAsSeen(attribute: "leaseOwner" | "checkpointOwner", seen: string | undefined): Condition {
  return seen === undefined ? { attribute, is: "absent" } : equal(attribute, { S: seen });
}

/** A checkpoint to store, and what goes with it. */
export interface CheckpointWrite {
  readonly checkpoint: Checkpoint;
  /** Set by the first half of a two-phase checkpoint, which leaves `checkpoint` where it is. */
  readonly pending?: { readonly checkpoint: Checkpoint; readonly state: Uint8Array | undefined } | undefined;
  /** Calls begun on the record after `checkpoint`; without them, what was known of another record is removed. */
  readonly attempts?: Attempts | undefined;
}

/**
 * For every write of an owner: it is still the owner, and nobody else is to have the lease. The second clause is how an
 * owner learns that it has to hand the lease over. KCL has it in renewals only, which it makes beside its checkpoints;
 * here a checkpoint counts as a renewal, so an owner that always has one to store would never learn of it.
 */
function ownersConditions(lease: Lease): readonly Condition[] {
  if (lease.checkpointOwner !== undefined) return [counterIs(lease)];
  return [counterIs(lease), { attribute: "checkpointOwner", is: "absent" }];
}

/** Renews the lease. */
export function renewal(lease: Lease, throughputKBps: number | undefined): RowUpdate {
  const set: Record<string, Attribute> = { leaseCounter: numberAttribute(lease.leaseCounter + 1n) };
  if (throughputKBps !== undefined) set["throughputKBps"] = { N: throughputKBps.toFixed(6) };
  return {
    key: lease.leaseKey,
    conditions: ownersConditions(lease),
    set,
  };
}

/** Stores a checkpoint, which renews the lease too. */
export function checkpointUpdate(lease: Lease, write: CheckpointWrite, throughputKBps: number | undefined): RowUpdate {
  const set: Record<string, Attribute> = {
    leaseCounter: numberAttribute(lease.leaseCounter + 1n),
    checkpoint: { S: write.checkpoint.sequenceNumber },
    checkpointSubSequenceNumber: numberAttribute(write.checkpoint.subSequenceNumber),
    ownerSwitchesSinceCheckpoint: { N: "0" },
  };
  if (throughputKBps !== undefined) set["throughputKBps"] = { N: throughputKBps.toFixed(6) };
  if (lease.hashRange !== undefined) Object.assign(set, hashRangeAttributes(lease.hashRange));
  const remove: string[] = [];
  const { pending } = write;
  if (pending === undefined) {
    remove.push("pendingCheckpoint", "pendingCheckpointSubSequenceNumber", "pendingCheckpointState");
  } else {
    set["pendingCheckpoint"] = { S: pending.checkpoint.sequenceNumber };
    set["pendingCheckpointSubSequenceNumber"] = numberAttribute(pending.checkpoint.subSequenceNumber);
    if (pending.state === undefined) remove.push("pendingCheckpointState");
    else set["pendingCheckpointState"] = { B: pending.state };
  }
  if (write.attempts !== undefined) set[attemptsAttribute] = attemptsValue(write.attempts, write.checkpoint);
  else if (pending === undefined) remove.push(attemptsAttribute);
  // Once a record is checkpointed LATEST is past; until then the time keeps its meaning.
  if (write.checkpoint.sequenceNumber !== "LATEST") remove.push(latestSinceAttribute);
  return { key: lease.leaseKey, conditions: ownersConditions(lease), set, remove };
}

/** Remembers when LATEST was, by the lease's owner. Renews the lease too. */
export function latestSinceUpdate(lease: Lease, latestSinceMs: number): RowUpdate {
  return {
    key: lease.leaseKey,
    conditions: [counterIs(lease)],
    set: {
      leaseCounter: numberAttribute(lease.leaseCounter + 1n),
      [latestSinceAttribute]: numberAttribute(latestSinceMs),
    },
  };
}

/** Remembers calls on the record after the checkpoint. Renews the lease too. */
export function attemptsUpdate(lease: Lease, attempts: Attempts): RowUpdate {
  return {
    key: lease.leaseKey,
    conditions: ownersConditions(lease),
    set: {
      leaseCounter: numberAttribute(lease.leaseCounter + 1n),
      [attemptsAttribute]: attemptsValue(attempts, lease.checkpoint),
    },
  };
}

/** Gives the lease to `owner` at once: the counter's rise makes the old owner's next write fail. */
export function assignment(lease: Lease, owner: string): RowUpdate {
  const before = lease.leaseOwner;
  const switched = before !== undefined && before !== owner;
  return {
    key: lease.leaseKey,
    conditions: [
      { attribute: "leaseKey", is: "present" },
      ownerAsSeen("leaseOwner", lease.leaseOwner),
      ownerAsSeen("checkpointOwner", lease.checkpointOwner),
    ],
    set: { leaseOwner: { S: owner } },
    remove: ["checkpointOwner"],
    add: switched ? { leaseCounter: 1, ownerSwitchesSinceCheckpoint: 1 } : { leaseCounter: 1 },
  };
}

/** Asks the owner to drain the lease for `next`. The counter stays, so that the owner's renewals go on. */
export function handOffRequest(lease: Lease, next: string): RowUpdate {
  const owner = lease.leaseOwner;
  if (owner === undefined) throw new Error(`hand-off of lease ${lease.leaseKey}, which has no owner`);
  return {
    key: lease.leaseKey,
    conditions: [
      { attribute: "leaseKey", is: "present" },
      equal("leaseOwner", { S: owner }),
      { attribute: "checkpointOwner", is: "absent" },
    ],
    set: { leaseOwner: { S: next }, checkpointOwner: { S: owner } },
  };
}

/**
 * Takes a hand-off back that its receiver does not want any more: the owner that drains the lease keeps it. The counter
 * stays, so that the owner's renewals go on.
 */
export function handOffRefusal(lease: Lease): RowUpdate {
  const { leaseOwner, checkpointOwner } = lease;
  if (checkpointOwner === undefined) throw new Error(`lease ${lease.leaseKey} is in no hand-off`);
  return {
    key: lease.leaseKey,
    conditions: [ownerAsSeen("leaseOwner", leaseOwner), ownerAsSeen("checkpointOwner", checkpointOwner)],
    set: { leaseOwner: { S: checkpointOwner } },
    remove: ["checkpointOwner"],
  };
}

/** Gives the lease up; a leader assigns it anew. Also the end of a hand-off whose receiver is gone. */
export function eviction(lease: Lease): RowUpdate {
  return {
    key: lease.leaseKey,
    conditions: [
      { attribute: "leaseKey", is: "present" },
      ownerAsSeen("leaseOwner", lease.leaseOwner),
      ownerAsSeen("checkpointOwner", lease.checkpointOwner),
    ],
    remove: lease.checkpointOwner === undefined ? ["leaseOwner"] : ["checkpointOwner"],
    add: { leaseCounter: 1 },
  };
}

/** Names the shards that follow; the counter stays. */
export function childShardsUpdate(leaseKey: string, childShardIds: readonly string[]): RowUpdate {
  return {
    key: leaseKey,
    conditions: [{ attribute: "leaseKey", is: "present" }],
    set: { childShardIds: { SS: [...childShardIds] } },
  };
}

/** Fills in the hash range of a lease whose creator did not know it; the counter stays. */
export function hashRangeUpdate(leaseKey: string, range: HashRange): RowUpdate {
  return {
    key: leaseKey,
    conditions: [
      { attribute: "leaseKey", is: "present" },
      { attribute: "startingHashKey", is: "absent" },
    ],
    set: hashRangeAttributes(range),
  };
}

/**
 * Puts a lease back to where nothing of its shard was read, owned by nobody: an operator's reset, the one write that may
 * lower a checkpoint [C3].
 * @param position `sinceMs` goes with LATEST: where reading begins, milliseconds since 1970.
 */
export function resetUpdate(
  lease: Lease,
  position: { readonly name: "TRIM_HORIZON" } | { readonly name: "LATEST"; readonly sinceMs: number },
): RowUpdate {
  const set = { checkpoint: { S: position.name }, checkpointSubSequenceNumber: { N: "0" } };
  const remove = [
    "leaseOwner",
    "checkpointOwner",
    "childShardIds",
    "pendingCheckpoint",
    "pendingCheckpointSubSequenceNumber",
    "pendingCheckpointState",
    attemptsAttribute,
  ];
  return {
    key: lease.leaseKey,
    conditions: deletionConditions(lease),
    ...(position.name === "LATEST"
      ? { set: { ...set, [latestSinceAttribute]: numberAttribute(position.sinceMs) }, remove }
      : { set, remove: [...remove, latestSinceAttribute] }),
    // An owner that was paused meanwhile sees that the lease is not as it left it.
    add: { leaseCounter: 1 },
  };
}

/** A lease may be deleted only while it is as it was when that was decided. */
export function deletionConditions(lease: Lease): readonly Condition[] {
  return [
    counterIs(lease),
    equal("checkpoint", { S: lease.checkpoint.sequenceNumber }),
    ownerAsSeen("leaseOwner", lease.leaseOwner),
  ];
}
