/**
 * Pure. [C1] A put that was acknowledged is in the stream: at the place the acknowledgement names, byte for byte, and
 * among the records that a reader gets.
 */
import type { Ledger, PutEntry } from "../components/ledger.ts";
import { hold, type Checker } from "../world/checker.ts";
import type { StoredLog } from "../world/stored-log.ts";

export class AcknowledgedIsStored implements Checker {
  readonly invariant = "C1";
  readonly #ledger: Ledger;
  readonly #stored: StoredLog;

  constructor(ledger: Ledger, stored: StoredLog) {
    this.#ledger = ledger;
    this.#stored = stored;
  }

  check(): void {
    for (const entry of this.#ledger.takeSettled()) {
      if (entry.fate.kind !== "acknowledged") continue;
      this.#checkPlace(entry);
    }
  }

  /** Every acknowledged put is among the ids that a reader got. */
  checkRead(idsRead: ReadonlySet<string>): void {
    for (const id of this.#ledger.acknowledged) {
      hold(this.invariant, idsRead.has(id), () => `${id} was acknowledged, and no reader gets it`);
    }
  }

  #checkPlace(entry: PutEntry): void {
    const { id, fate } = entry;
    if (fate.kind !== "acknowledged") return;
    const { shardId, sequenceNumber, subSequenceNumber = 0 } = fate;
    const members = this.#stored.membersAt(shardId, sequenceNumber);
    hold(
      this.invariant,
      members !== undefined,
      () => `${id} was acknowledged at ${shardId} ${sequenceNumber}: not there`,
    );
    const member = members[subSequenceNumber];
    const isSame = member?.id === id && member.isIntact && member.bytes === Math.max(entry.bytes, id.length);
    hold(
      this.invariant,
      isSame,
      () => `${id} was acknowledged at ${sequenceNumber}.${subSequenceNumber}: another record`,
    );
    hold(this.invariant, member?.partitionKey === entry.partitionKey, () => `${id} was stored under another key`);
  }
}
