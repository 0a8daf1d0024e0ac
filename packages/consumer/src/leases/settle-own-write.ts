/**
 * Pure. What became of a write of our own whose outcome is not known.
 *
 * Source: SPEC S7.
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { actualOwner, type Lease } from "./lease.ts";

/**
 * What a consistent read says about our own write of which we do not know whether it was done.
 * - `done`: the row is as we wrote it.
 * - `not-done`: the row is as before; `handOff` when it now asks us to drain it.
 * - `lost`: somebody else has written.
 */
export type OwnWriteVerdict =
  | { readonly verdict: "done" }
  | { readonly verdict: "lost" }
  | { readonly verdict: "not-done"; readonly handOff: boolean };

/**
 * Settles a write of ours from the row as a consistent read found it: owner, counter and checkpoint decide.
 * A write that timed out and came through late has exactly the counter and checkpoint that we meant to write.
 */
export function settleOwnWrite(
  workerId: string,
  before: Lease,
  intended: { readonly checkpoint: Checkpoint },
  found: Lease | undefined,
): OwnWriteVerdict {
  if (found === undefined || actualOwner(found) !== workerId) return { verdict: "lost" };
  // KCL never leaves such a row; whoever wrote it does not follow the protocol.
  if (found.checkpointOwner !== undefined && found.checkpointOwner === found.leaseOwner) return { verdict: "lost" };
  if (found.leaseCounter === before.leaseCounter) {
    return { verdict: "not-done", handOff: found.checkpointOwner !== undefined };
  }
  const sameCheckpoint =
    found.checkpoint.sequenceNumber === intended.checkpoint.sequenceNumber &&
    found.checkpoint.subSequenceNumber === intended.checkpoint.subSequenceNumber;
  return { verdict: found.leaseCounter === before.leaseCounter + 1n && sameCheckpoint ? "done" : "lost" };
}
