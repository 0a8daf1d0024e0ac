/**
 * Pure. User records as handlers get them.
 *
 * Millions of them are made a second, and most handlers look at one or two fields: each is read from the Kinesis record's
 * bytes when it is first asked for. So the fields are getters of the class, and not properties of their own.
 */
import type { MessageReader, RecordMaker, TagsPlace } from "@millrace/aggregation";
import type { ServiceRecord } from "@millrace/core/kinesis";
import type { ConsumedRecord } from "../record.ts";

const decoder = new TextDecoder();

/** What is the same for records that came alone and out of an aggregate. */
abstract class DeliveredRecordBase implements ConsumedRecord {
  readonly #source: ServiceRecord;

  constructor(source: ServiceRecord) {
    this.#source = source;
  }

  abstract get data(): Uint8Array;
  abstract get partitionKey(): string | undefined;
  abstract get explicitHashKey(): string | undefined;
  abstract get subSequenceNumber(): number | undefined;
  abstract get tags(): Record<string, string> | undefined;

  get sequenceNumber(): string {
    return this.#source.sequenceNumber;
  }

  get approximateArrivalTimestamp(): Date | undefined {
    return this.#source.approximateArrivalTimestamp;
  }

  protected get source(): ServiceRecord {
    return this.#source;
  }

  text(): string {
    return decoder.decode(this.data);
  }

  json(): unknown {
    return JSON.parse(this.text());
  }

  /** All fields that have a value, for JSON.stringify. */
  toJSON(): object {
    const { data, partitionKey, explicitHashKey, sequenceNumber, subSequenceNumber, tags } = this;
    const { approximateArrivalTimestamp } = this;
    return {
      data,
      ...(partitionKey === undefined ? {} : { partitionKey }),
      ...(explicitHashKey === undefined ? {} : { explicitHashKey }),
      sequenceNumber,
      ...(subSequenceNumber === undefined ? {} : { subSequenceNumber }),
      ...(approximateArrivalTimestamp === undefined ? {} : { approximateArrivalTimestamp }),
      ...(tags === undefined ? {} : { tags }),
    };
  }

  /** The same for console.log. */
  [Symbol.for("nodejs.util.inspect.custom")](): object {
    return this.toJSON();
  }
}

/** A Kinesis record that is delivered as it came. */
class WholeRecord extends DeliveredRecordBase {
  get data(): Uint8Array {
    return this.source.data;
  }

  get partitionKey(): string | undefined {
    return this.source.partitionKey;
  }

  get explicitHashKey(): undefined {
    return undefined;
  }

  get subSequenceNumber(): undefined {
    return undefined;
  }

  get isPacked(): boolean {
    return false;
  }

  get tags(): undefined {
    return undefined;
  }
}

/** A member of an aggregate. */
class MemberRecord extends DeliveredRecordBase {
  readonly #message: MessageReader;
  readonly #dataStart: number;
  readonly #dataEnd: number;
  readonly #partitionKeyIndex: number;
  readonly #explicitHashKeyIndex: number;
  readonly #tags: TagsPlace | undefined;
  readonly subSequenceNumber: number;
  #data: Uint8Array | undefined;

  constructor(source: ServiceRecord, message: MessageReader, subSequenceNumber: number) {
    super(source);
    this.subSequenceNumber = subSequenceNumber;
    this.#message = message;
    this.#dataStart = message.dataStart;
    this.#dataEnd = message.dataEnd;
    this.#partitionKeyIndex = message.partitionKeyIndex;
    this.#explicitHashKeyIndex = message.explicitHashKeyIndex;
    this.#tags = message.tags;
  }

  get data(): Uint8Array {
    this.#data ??= this.#message.bytes.subarray(this.#dataStart, this.#dataEnd);
    return this.#data;
  }

  get partitionKey(): string | undefined {
    return this.#message.partitionKeys.at(this.#partitionKeyIndex);
  }

  get explicitHashKey(): string | undefined {
    return this.#message.explicitHashKeys.at(this.#explicitHashKeyIndex);
  }

  get isPacked(): boolean {
    return this.#message.isPacked;
  }

  get tags(): Record<string, string> | undefined {
    return this.#tags === undefined ? undefined : this.#message.readTags(this.#tags);
  }
}

/** A delivered record of either kind. */
export type DeliveredRecord = WholeRecord | MemberRecord;

/** Makes delivered records, and counts the bytes of their payloads. */
export class DeliveredRecords implements RecordMaker<ServiceRecord, DeliveredRecord> {
  #bytes = 0;

  whole(source: ServiceRecord): DeliveredRecord {
    this.#bytes += source.data.byteLength;
    return new WholeRecord(source);
  }

  member(source: ServiceRecord, message: MessageReader, subSequenceNumber: number): DeliveredRecord {
    this.#bytes += message.dataEnd - message.dataStart;
    return new MemberRecord(source, message, subSequenceNumber);
  }

  /** Bytes of what was made since this was asked last. */
  takeBytes(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }
}
