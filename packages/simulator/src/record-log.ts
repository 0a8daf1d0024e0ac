/**
 * Pure. The records of one shard in the order they came, found by their counter or by their time.
 *
 * Counters rise by one from record to record and begin with 1, so that a record is found without a search.
 */

export interface StoredRecord {
  readonly sequenceNumber: string;
  readonly data: Uint8Array;
  /** Undefined where the service picked the shard (record distribution strategy AUTO). */
  readonly partitionKey: string | undefined;
  /** Milliseconds since 1970. */
  readonly arrivalMs: number;
  readonly encrypted: boolean;
  /** Data and key. */
  readonly bytes: number;
}

export class RecordLog {
  #records: (StoredRecord | undefined)[] = [];
  /** Slots at the front of `#records` whose records were trimmed. */
  #trimmed = 0;
  /** Counter of the record in slot 0. */
  #firstCounter = 1;
  #storedBytes = 0;
  #highestArrivalMs = -Infinity;
  #arrivalsInOrder = true;

  /** Counter of the oldest record that is still there, or of the next one to come. */
  get trimHorizon(): number {
    return this.#firstCounter + this.#trimmed;
  }

  /** Counter of the next record to come. */
  get tip(): number {
    return this.#firstCounter + this.#records.length;
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  get oldest(): StoredRecord | undefined {
    return this.#records[this.#trimmed];
  }

  /** The record with this counter; undefined when it was trimmed or has not come. */
  recordAt(counter: number): StoredRecord | undefined {
    return this.#records[counter - this.#firstCounter];
  }

  /** The counter of the first record to be pushed into an empty log. */
  beginAt(counter: number): void {
    this.#firstCounter = counter;
  }

  push(record: StoredRecord): void {
    this.#records.push(record);
    this.#storedBytes += record.bytes;
    if (record.arrivalMs < this.#highestArrivalMs) this.#arrivalsInOrder = false;
    else this.#highestArrivalMs = record.arrivalMs;
  }

  /** Removes what arrived before `wallMs`, and gives its bytes. */
  trimBefore(wallMs: number): number {
    let freed = 0;
    for (let record = this.oldest; record !== undefined && record.arrivalMs < wallMs; record = this.oldest) {
      freed += this.trimOldest();
    }
    return freed;
  }

  /** Removes the oldest record, and gives its bytes. */
  trimOldest(): number {
    const bytes = this.oldest?.bytes ?? 0;
    if (this.#trimmed < this.#records.length) this.#records[this.#trimmed++] = undefined;
    this.#storedBytes -= bytes;
    // Moving the rest costs as much as was trimmed since the last time.
    if (this.#trimmed > 1024 && this.#trimmed * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#trimmed);
      this.#firstCounter += this.#trimmed;
      this.#trimmed = 0;
    }
    return bytes;
  }

  /** Counter of the first record that arrived at `wallMs` or later; the tip when there is none. */
  counterAtTime(wallMs: number): number {
    if (!this.#arrivalsInOrder) {
      const index = this.#records.findIndex((record) => record !== undefined && record.arrivalMs >= wallMs);
      return index < 0 ? this.tip : this.#firstCounter + index;
    }
    let low = this.#trimmed;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#records[middle]?.arrivalMs ?? -Infinity) < wallMs) low = middle + 1;
      else high = middle;
    }
    return this.#firstCounter + low;
  }
}
