/**
 * Pure. Tells which records are still to be stored: their lifetime has not ended, and their callers want them.
 */
import type { Failure } from "./answers.ts";
import type { Effect } from "./effects.ts";
import { historyOf, noAttempts, type OutgoingRecord, type PendingRecord } from "./records.ts";
import { expiredError, refusedError } from "./retrier.ts";

/** Withdrawn records are swept out once there are this many, or this much of them. */
const maxWithdrawnRecords = 1_000;
const maxWithdrawnBytes = 1_048_576;

const noHistory = { attempts: noAttempts, mayHaveBeenStored: false };

export class Expiry {
  readonly #ttlMs: number;
  readonly #emit: (effect: Effect) => void;
  #withdrawnRecords = 0;
  #withdrawnBytes = 0;
  /** Why the last request failed, where it did: the cause of what expires without having been in one. */
  lastFailure: Failure | undefined;

  constructor(ttlMs: number, emit: (effect: Effect) => void) {
    this.#ttlMs = ttlMs;
    this.#emit = emit;
  }

  /** Counts a record that was withdrawn and is still held. */
  withdrawn(pending: PendingRecord): void {
    this.#withdrawnRecords += 1;
    this.#withdrawnBytes += pending.sizeBytes;
  }

  get hasWithdrawn(): boolean {
    return this.#withdrawnRecords > 0;
  }

  /** True when what is withdrawn and still held is worth a scan of everything. */
  get hasMuchWithdrawn(): boolean {
    return this.#withdrawnRecords > maxWithdrawnRecords || this.#withdrawnBytes > maxWithdrawnBytes;
  }

  /** Nothing withdrawn is held any more. */
  swept(): void {
    this.#withdrawnRecords = 0;
    this.#withdrawnBytes = 0;
  }

  /** False for a record that is over; one whose lifetime ended is failed, one that was withdrawn has its answer. */
  keeps(pending: PendingRecord, now: number): boolean {
    if (pending.state === "settled") return false;
    if (pending.expiresAt > now) return true;
    const error = expiredError(pending.earlier ?? noHistory, this.#ttlMs, this.lastFailure);
    this.#emit({ type: "failed", members: [pending], error });
    return false;
  }

  /** Leaves in a Kinesis record what is still to be stored. False when that is nothing. */
  keepsAny(outgoing: OutgoingRecord, now: number): boolean {
    if (outgoing.expiresAt > now && !outgoing.members.some((member) => member.state === "settled")) return true;
    const held = outgoing.members.filter((member) => member.state !== "settled");
    this.#failExpired(outgoing, held, now);
    return shrink(
      outgoing,
      held.filter((member) => member.expiresAt > now),
    );
  }

  /** The same after an attempt failed: callers may have withdrawn records while they were in the request. */
  keepsAnyAfterAttempt(outgoing: OutgoingRecord, now: number): boolean {
    const wanted = outgoing.members.filter((member) => {
      if (!member.isAborted) return true;
      const history = historyOf(member, outgoing);
      const failure = { code: "Aborted", message: "withdrawn after a request whose outcome is unknown" };
      // Its caller may believe "withdrawn" only where nothing can have been stored.
      const error = history.mayHaveBeenStored ? refusedError(history, failure, "lifetime") : member.abortReason;
      this.#emit({ type: "failed", members: [member], error });
      return false;
    });
    this.#failExpired(outgoing, wanted, now);
    return shrink(
      outgoing,
      wanted.filter((member) => member.expiresAt > now),
    );
  }

  #failExpired(outgoing: OutgoingRecord, members: readonly PendingRecord[], now: number): void {
    const expired = members.filter((member) => member.expiresAt <= now);
    // One error for all with one history: in an outage everything expires, and an error is larger than a record.
    const alike = expired.filter((member) => member.earlier === undefined);
    if (alike.length > 0)
      this.#emit({ type: "failed", members: alike, error: expiredError(outgoing, this.#ttlMs, this.lastFailure) });
    for (const member of expired) {
      if (member.earlier === undefined) continue;
      const error = expiredError(historyOf(member, outgoing), this.#ttlMs, this.lastFailure);
      this.#emit({ type: "failed", members: [member], error });
    }
  }
}

function shrink(outgoing: OutgoingRecord, members: PendingRecord[]): boolean {
  if (members.length < outgoing.members.length) {
    outgoing.built = undefined;
    // Its bytes hold what is not wanted any more: it goes uncompressed unless it is compressed again.
    if (outgoing.packing === "compressed") outgoing.packing = "plain";
    outgoing.sizeBytes = outgoing.plainBytes;
  }
  outgoing.members = members;
  outgoing.expiresAt = Math.min(...members.map((member) => member.expiresAt));
  return members.length > 0;
}
