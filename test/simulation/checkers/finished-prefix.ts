/**
 * Pure. [C1] [C11] A checkpoint covers only what handlers have finished: whatever a worker stores, every user record up
 * to there was handled.
 */
import { hold, Violations, type Checker } from "../world/checker.ts";
import type { TableWrite } from "../world/lease-table-service.ts";
import type { StoredLog, StoredRecord } from "../world/stored-log.ts";
import { checkpointOf, comparePlaces, type Place } from "./place.ts";

/** What is known of a shard. */
interface ShardProgress {
  /** Records that no checkpoint has covered, in order. */
  readonly open: StoredRecord[];
  /** Members that a handler has finished, by place. */
  readonly finished: Set<string>;
}

export class FinishedPrefix implements Checker {
  readonly invariant = "C11";
  readonly #shards = new Map<string, ShardProgress>();
  readonly #violations = new Violations();
  /** Invariant by which a worker's checkpoints are judged. */
  readonly #invariantOf: (writer: string) => "C1" | "C11";

  constructor(stored: StoredLog, invariantOf: (writer: string) => "C1" | "C11") {
    this.#invariantOf = invariantOf;
    stored.listen((shardId, record) => insert(this.#shard(shardId).open, record));
  }

  /** A handler has finished the record at this place. */
  onFinished(shardId: string, place: Place): void {
    this.#shard(shardId).finished.add(keyOf(place.sequenceNumber, place.subSequenceNumber));
  }

  /** A row was written. */
  onWrite({ key, before, after, writer }: TableWrite): void {
    const [old, next] = [checkpointOf(before), checkpointOf(after)];
    if (old === undefined || next === undefined || comparePlaces(next, old) <= 0) return;
    const { open, finished } = this.#shard(key);
    let covered = 0;
    for (const { sequenceNumber, members } of open) {
      if (sequenceNumber > next.sequenceNumber) break;
      const isWhole = sequenceNumber < next.sequenceNumber || next.subSequenceNumber >= members.length - 1;
      const count = isWhole ? members.length : next.subSequenceNumber + 1;
      for (let sub = 0; sub < count; sub++) {
        const isFinished = finished.has(keyOf(sequenceNumber, sub));
        const tell = () =>
          `a checkpoint of ${writer} passes ${members[sub]?.id} of ${key}, which no handler has finished`;
        this.#violations.catch(() => hold(this.#invariantOf(writer), isFinished, tell));
        if (isWhole) finished.delete(keyOf(sequenceNumber, sub));
      }
      if (!isWhole) break;
      covered++;
    }
    open.splice(0, covered);
  }

  check(): void {
    this.#violations.check();
  }

  #shard(shardId: string): ShardProgress {
    let shard = this.#shards.get(shardId);
    if (shard === undefined) {
      shard = { open: [], finished: new Set() };
      this.#shards.set(shardId, shard);
    }
    return shard;
  }
}

function keyOf(sequenceNumber: bigint, sub: number): string {
  return `${sequenceNumber}.${sub}`;
}

/** A record whose answer was late stands before those that were noted in the meantime. */
function insert(open: StoredRecord[], record: StoredRecord): void {
  let index = open.length;
  while (index > 0 && (open[index - 1]?.sequenceNumber ?? -1n) > record.sequenceNumber) index--;
  open.splice(index, 0, record);
}
