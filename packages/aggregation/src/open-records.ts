/**
 * Pure. Unpacks Kinesis records, many at a time, into whatever its caller makes of a user record.
 *
 * Defaults lose nothing: what cannot be opened is delivered whole and unchanged, what is odd within an aggregate is
 * delivered and counted. Source of the pass-through rules: KCL, AggregatorUtil.java.
 */
import { COMPRESSION_TAG, openCompressed } from "./compression.ts";
import type { DeaggregationCounts, DefectOutcome, Rules } from "./deaggregate-options.ts";
import { DigestChecks } from "./digest-checks.ts";
import { DeaggregationError } from "./errors.ts";
import type { DeaggregationReason } from "./errors.ts";
import { DIGEST_BYTES, MAGIC, isFramed } from "./format.ts";
import type { KinesisRecord } from "./record.ts";
import { RangeVerdicts } from "./range-verdicts.ts";
import { MessageReader } from "./wire.ts";

/** Bytes that one step reads without an answer; even of the smallest fields it takes a few milliseconds. */
const STEP_BYTES = 131_072;
/** Most user records of a compressed aggregate, which are made in one slice. */
const MAX_PACKED_RECORDS = 250_000;

/**
 * Makes what its caller wants of every user record, from where it stands and with nothing in between: an object that
 * nobody needs costs as much as reading the record.
 */
export interface RecordMaker<Source extends KinesisRecord, Made> {
  /** Of a Kinesis record that is delivered as it came. */
  whole(source: Source): Made;
  /**
   * Of a member of an aggregate. `message` stands on it and moves on afterwards; its tables and bytes stay, so that keys,
   * tags and data can be read later from where they stand now.
   */
  member(source: Source, message: MessageReader, subSequenceNumber: number): Made;
}

/**
 * What is made of the user records, in slices of at most `rules.sliceRecords` that are made as they are asked for: an
 * aggregate of millions takes memory for one slice at a time. Between two slices the caller may let other work run; no step
 * takes long, and a slice may be empty because the step was one of checking. An aggregate is checked as a whole before its
 * first user record is yielded.
 * @param firstSubSequenceNumber of the first Kinesis record, only what stands there or after it is made.
 * @throws {DeaggregationError} for a defect whose outcome is "fail".
 */
export function* openRecords<Source extends KinesisRecord, Made>(
  sources: readonly Source[],
  maker: RecordMaker<Source, Made>,
  rules: Rules,
  firstSubSequenceNumber = 0,
): Generator<Made[], void, undefined> {
  const digests = new DigestChecks(sources);
  let slice: Made[] = [];
  try {
    for (let index = 0; index < sources.length; index++) {
      const source = sources[index] as Source;
      const begin = index === 0 ? firstSubSequenceNumber : 0;
      const opened = isFramed(source.data) ? yield* openAggregate(source, digests.check(index), rules) : "whole";
      if (opened === "whole") {
        if (begin > 0) continue;
        if (slice.length >= rules.sliceRecords) {
          yield slice;
          slice = [];
        }
        rules.counts.userRecords++;
        slice.push(maker.whole(source));
      } else if (opened !== "nothing") {
        if (opened.isPacked && slice.length > 0 && slice.length + opened.recordCount > rules.sliceRecords) {
          yield slice;
          slice = [];
        }
        const members = new Members(source, opened, rules, begin);
        while (!members.fill(slice, maker)) {
          yield slice;
          slice = [];
        }
      }
    }
  } catch (error) {
    // What stands before a defect is sound, and would never be delivered if the defect withheld it each time.
    if (error instanceof DeaggregationError && slice.length > 0) yield slice;
    throw error;
  }
  if (slice.length > 0) yield slice;
}

/** Checks all of an aggregate, in steps. "whole" when it is to be delivered as it came, "nothing" when not at all. */
function* openAggregate(
  source: KinesisRecord,
  digest: Generator<never[], boolean>,
  rules: Rules,
): Generator<never[], MessageReader | "whole" | "nothing"> {
  if (!(yield* digest)) return isDefectDelivered("bad-digest", source, rules) ? "whole" : "nothing";
  const bytes = asBuffer(source.data);
  const reader = new MessageReader(bytes.subarray(MAGIC.length, bytes.length - DIGEST_BYTES));
  try {
    while (!reader.check(STEP_BYTES)) yield [];
  } catch {
    // Only the check is inside: a parse error, whatever protobufjs calls it.
    return isDefectDelivered("unparsable", source, rules) ? "whole" : "nothing";
  }
  if (reader.recordCount > rules.maxRecords) {
    rules.counts.tooManyRecords++;
    return "whole";
  }
  rules.counts.aggregates++;
  return reader.recordCount === 1 ? yield* unpack(reader, source, rules) : reader;
}

/**
 * The aggregate that a compressed one holds; `reader` itself, which stands on its only member, where that is none. Opened at
 * once and not in steps: its bytes are bounded, and the 1 MiB that the producer puts into one of many records takes a few
 * milliseconds.
 */
function* unpack(
  reader: MessageReader,
  source: KinesisRecord,
  rules: Rules,
): Generator<never[], MessageReader | "nothing"> {
  const algorithm = reader.tags && reader.readTags(reader.tags)[COMPRESSION_TAG];
  if (algorithm === undefined) return reader;
  const opened = openCompressed(reader.bytes.subarray(reader.dataStart, reader.dataEnd), algorithm);
  try {
    if (opened !== undefined) {
      yield [];
      const packed = new MessageReader(opened.subarray(MAGIC.length, opened.length - DIGEST_BYTES));
      while (!packed.check(STEP_BYTES)) yield [];
      if (packed.recordCount <= Math.min(rules.maxRecords, MAX_PACKED_RECORDS)) {
        rules.counts.compressed++;
        packed.isPacked = true;
        return packed;
      }
    }
  } catch {
    // Only the check is inside: a parse error, which counts like any other damage.
  }
  rules.counts.badCompression++;
  return keep(rules.onBadCompression, "bad-compression", source) ? reader : "nothing";
}

/** Counts an aggregate that cannot be opened, and tells whether it is delivered whole. */
function isDefectDelivered(reason: "bad-digest" | "unparsable", source: KinesisRecord, rules: Rules): boolean {
  if (reason === "bad-digest") rules.counts.badDigest++;
  else rules.counts.unparsable++;
  return keep(reason === "bad-digest" ? rules.onBadDigest : rules.onUnparsable, reason, source);
}

function keep(
  outcome: DefectOutcome,
  reason: DeaggregationReason,
  source: KinesisRecord,
  subSequenceNumber?: number,
): boolean {
  if (outcome === "fail") throw new DeaggregationError(reason, source.sequenceNumber, subSequenceNumber);
  return outcome === "deliver";
}

/** The members of one aggregate, on their way into slices. */
class Members<Source extends KinesisRecord> {
  readonly #source: Source;
  readonly #reader: MessageReader;
  readonly #rules: Rules;
  readonly #counts: DeaggregationCounts;
  readonly #begin: number;
  readonly #verdicts: RangeVerdicts | undefined;
  #subSequenceNumber = -1;

  constructor(source: Source, reader: MessageReader, rules: Rules, begin: number) {
    this.#source = source;
    this.#reader = reader;
    this.#rules = rules;
    this.#counts = rules.counts;
    this.#begin = begin;
    this.#verdicts = rules.range === undefined ? undefined : new RangeVerdicts(reader, rules.range);
  }

  /** Adds members to the slice. False when it is full or the step was long; true when there are none left. */
  fill<Made>(slice: Made[], maker: RecordMaker<Source, Made>): boolean {
    const reader = this.#reader;
    const { sliceRecords } = this.#rules;
    const hasChecks = this.#verdicts !== undefined;
    // A packed aggregate stays together: half of it cannot be checkpointed.
    while (slice.length < sliceRecords || reader.isPacked) {
      const found = reader.next(STEP_BYTES);
      if (found === "end") return true;
      if (found === "pause") {
        if (reader.isPacked) continue;
        return false;
      }
      const subSequenceNumber = ++this.#subSequenceNumber;
      if (subSequenceNumber < this.#begin) continue;
      const isOdd = !reader.hasItsKeys;
      if ((isOdd || hasChecks) && !this.#isKept(isOdd)) continue;
      this.#counts.userRecords++;
      slice.push(maker.member(this.#source, reader, subSequenceNumber));
    }
    return false;
  }

  #isKept(isOdd: boolean): boolean {
    const reader = this.#reader;
    if (isOdd) {
      this.#counts.badIndex++;
      return keep(this.#rules.onBadIndex, "bad-index", this.#source, this.#subSequenceNumber);
    }
    if (this.#verdicts?.isOutside(reader.partitionKeyIndex, reader.explicitHashKeyIndex) !== true) return true;
    this.#counts.outOfRange++;
    return keep(this.#rules.onOutOfRange, "out-of-range", this.#source, this.#subSequenceNumber);
  }
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
