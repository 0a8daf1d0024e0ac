/**
 * Pure. What an owner writes to its lease, with the lease as it stands once that is done.
 */
import type { Attempts } from "./attempts.ts";
import type { Lease } from "./lease.ts";
import { attemptsUpdate, checkpointUpdate, latestSinceUpdate, renewal, type CheckpointWrite } from "./lease-writes.ts";
import type { RowUpdate } from "./table-row.ts";

/** A write: the update for the lease as it is, and how the lease looks once it is done. */
export interface LeaseWrite {
  readonly update: RowUpdate;
  readonly after: Lease;
}

/** A renewal, with the throughput where it is known. */
export function renewalWrite(lease: Lease, throughputKBps: number | undefined): LeaseWrite {
  return { update: renewal(lease, throughputKBps), after: { ...raised(lease), throughputKBps } };
}

/** A checkpoint or the first half of one. */
export function checkpointWrite(lease: Lease, write: CheckpointWrite, throughputKBps: number | undefined): LeaseWrite {
  const after: Lease = {
    ...raised(lease),
    checkpoint: write.checkpoint,
    ownerSwitchesSinceCheckpoint: 0,
    pendingCheckpoint: write.pending?.checkpoint,
    pendingCheckpointState: write.pending?.state,
    latestSinceMs: write.checkpoint.sequenceNumber === "LATEST" ? lease.latestSinceMs : undefined,
    attempts: write.attempts ?? (write.pending === undefined ? undefined : lease.attempts),
    throughputKBps,
  };
  return { update: checkpointUpdate(lease, write, throughputKBps), after };
}

/** The time that LATEST stands for. */
export function latestSinceWrite(lease: Lease, latestSinceMs: number): LeaseWrite {
  return { update: latestSinceUpdate(lease, latestSinceMs), after: { ...raised(lease), latestSinceMs } };
}

/** Calls on the record after the checkpoint. */
export function attemptsWrite(lease: Lease, attempts: Attempts): LeaseWrite {
  return { update: attemptsUpdate(lease, attempts), after: { ...raised(lease), attempts } };
}

function raised(lease: Lease): Lease {
  return { ...lease, leaseCounter: lease.leaseCounter + 1n };
}
