/**
 * Driver. Keeps count of calls on a record in its lease, so that the count outlives a process that dies in a call.
 *
 * Worker A calls its handler with record 7, and the call ends the process: nothing that A would have told after the call
 * is told. So the lease says before the first call of a tenure that calls are under way. B finds that: A vanished on the
 * record after the checkpoint, or on a later one that it had not come to checkpoint. Until that zone is passed B goes
 * one record at a time, and stores before each call what is done and that this record is being called. When B vanishes
 * too, C knows the record, and how often it was called.
 */
import { compareCheckpoints, type Checkpoint } from "../checkpoint/checkpoint.ts";
import type { HeldLease } from "../leases/held-lease.ts";
import { placeOf, type ConsumedRecord } from "../record.ts";
import type { DeliveredRecord } from "../retrieval/delivered-record.ts";
import type { ShardBehind } from "./shard-behind.ts";

/**
 * Records after which a careful tenure goes on as others do. A vanished owner may have called more since its last
 * renewal; then the next ones come that much further each time.
 */
const carefulRecords = 1_000;

/** The count of one tenure. */
export class AttemptLog {
  readonly #behind: ShardBehind;
  /** False where trying has no bound: then nothing has to be known before a call. */
  readonly #isBounded: boolean;
  /** True when the owner before vanished while it called its handler. */
  readonly hasVanished: boolean;
  /** Calls on the first record of this tenure that were made before, or on the one at `madeAt`. */
  readonly madeBefore: number;
  readonly madeAt: Checkpoint | undefined;
  #carefulLeft: number;
  /** The write before the first call, while it is under way; "stored" after it. */
  #beginning: Promise<void> | "stored" | undefined;

  constructor(behind: ShardBehind, isBounded: boolean) {
    this.#behind = behind;
    this.#isBounded = isBounded;
    const { made = 0, isUnderWay = false, at } = behind.attempts ?? {};
    this.madeBefore = made;
    this.madeAt = at;
    this.hasVanished = isUnderWay;
    this.#carefulLeft = isBounded && isUnderWay ? carefulRecords : 0;
  }

  /** True while records go one at a time. */
  get isCareful(): boolean {
    return this.#carefulLeft > 0;
  }

  /** Before the `attempt`-th call of a record; undefined when nothing has to be waited for. */
  beforeCall(attempt: number, record: ConsumedRecord | undefined): Promise<void> | undefined {
    if (this.#carefulLeft > 0) {
      this.#beginning = "stored";
      return this.#behind.rememberAttempts({ made: attempt, isUnderWay: true, at: placeInside(record) });
    }
    if (this.#beginning === "stored" || !this.#isBounded) return undefined;
    this.#beginning ??= this.#begin();
    return this.#beginning;
  }

  /** After a record is done: in a careful tenure there was no other beside it. */
  afterRecord(): Promise<void> | undefined {
    if (this.#carefulLeft === 0) return undefined;
    this.#carefulLeft--;
    // What follows is not stored call by call: a count of this record must not be held against the next one.
    return this.#carefulLeft === 0 ? this.#behind.rememberAttempts({ made: 0, isUnderWay: true }) : undefined;
  }

  /** After the `attempt`-th call on the first record that is not done has failed. */
  failed(attempt: number, isTriedAgain: boolean, record: ConsumedRecord | undefined): Promise<void> {
    const isUnderWay = this.#isBounded && isTriedAgain;
    return this.#behind.rememberAttempts({ made: attempt, isUnderWay, at: placeInside(record) });
  }

  /** At the end of the tenure, when no call is under way any more: the next owner need not be careful. */
  async settle(): Promise<void> {
    if (this.#beginning !== undefined) await this.#behind.settleAttempts();
  }

  async #begin(): Promise<void> {
    await this.#behind.rememberAttempts({ made: this.madeBefore, isUnderWay: true, at: this.madeAt });
    this.#beginning = "stored";
  }
}

/** Says in the lease that no call is under way any more; what is done is stored with it. */
export async function settleAttempts(held: HeldLease): Promise<void> {
  const { attempts, checkpoint } = held.lease;
  if (attempts?.isUnderWay !== true) return;
  // The count is about the record after the stored checkpoint: of the one after what rides nothing is known.
  const isSame = compareCheckpoints(held.checkpointed, checkpoint) === 0;
  await held.renew({ made: isSame ? attempts.made : 0, isUnderWay: false, at: isSame ? attempts.at : undefined });
}

/** Where a record stands that no checkpoint can stand right before: a further member of a compressed Kinesis record. */
function placeInside(record: ConsumedRecord | undefined): Checkpoint | undefined {
  if ((record as Partial<DeliveredRecord> | undefined)?.isPacked !== true || record === undefined) return undefined;
  const place = placeOf(record);
  return place.subSequenceNumber === 0 ? undefined : place;
}
