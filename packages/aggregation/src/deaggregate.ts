/**
 * Pure. Unpacks Kinesis records into user records: aggregates into their members, everything else as it came.
 *
 * Defaults lose nothing: what cannot be opened is delivered whole and unchanged, what is odd within an aggregate is
 * delivered and counted. Source of the pass-through rules: KCL, AggregatorUtil.java.
 */
import { readRules } from "./deaggregate-options.ts";
import type {
  DeaggregateOptions,
  DeaggregationCounts,
  DefectOutcome,
  LazyOptions,
  Rules,
} from "./deaggregate-options.ts";
import { DeaggregationError, InvalidRecordError } from "./errors.ts";
import type { DeaggregationReason } from "./errors.ts";
import { DIGEST_BYTES, MAGIC, isDigestRight, isFramed } from "./format.ts";
import { hashKeyOrUndefined, partitionKeyHash } from "./hash-key.ts";
import { readSource } from "./source-record.ts";
import type { SourceRecord } from "./source-record.ts";
import { isBytes } from "./record.ts";
import type { KinesisRecord, LambdaRecord, SdkRecord, UserRecordView } from "./record.ts";
import { MessageReader } from "./wire.ts";

/** Any record that can be unpacked: as Millrace reads it, as the AWS SDK returns it, or as Lambda hands it over. */
export type AnyKinesisRecord = KinesisRecord | SdkRecord | LambdaRecord;

const EAGER_MAX_RECORDS = 250_000;
/** Bytes that one step reads without an answer; even of the smallest fields it takes a few milliseconds. */
const STEP_BYTES = 131_072;
/** Above this size the digest is a step of its own, so that digest and check never add up in one. */
const LARGE_BYTES = 1_048_576;

/**
 * True when `data` is an aggregate: it has the magic bytes, and its MD5 digest matches. Reads all of it; what merely
 * begins like an aggregate is none.
 * @throws {InvalidRecordError} when `data` are no bytes.
 */
export function isAggregated(data: Uint8Array): boolean {
  if (!isBytes(data)) throw new InvalidRecordError({ path: "data", got: data, expected: "a Uint8Array" });
  return isFramed(data) && isDigestRight(asBuffer(data));
}

/**
 * The user records of a Kinesis record, in order: the members of an aggregate, or the record itself when it is none.
 * Never throws for what the bytes hold, unless an option says "fail". An aggregate of no records yields none. Data are
 * views into the record's bytes, not copies.
 * @throws {InvalidRecordError} when `record` has none of the known shapes or an option is bad.
 * @throws {DeaggregationError} for a defect whose outcome is "fail".
 */
export function deaggregate(record: AnyKinesisRecord, options: DeaggregateOptions = {}): UserRecordView[] {
  const maxRecords = options.maxRecords ?? EAGER_MAX_RECORDS;
  const views: UserRecordView[] = [];
  for (const slice of deaggregateLazily(record, { ...options, maxRecords })) {
    for (const view of slice) views.push(view);
  }
  return views;
}

/**
 * Like `deaggregate`, in slices that are made as they are asked for: an aggregate of millions takes memory for one slice
 * at a time. Between two slices the caller may let other work run; no step takes long, and a slice may be empty because
 * the step was one of checking. The whole aggregate is checked before its first user record is yielded. Throws what
 * `deaggregate` throws, once the first slice is asked for.
 */
export function* deaggregateLazily(
  record: AnyKinesisRecord,
  options: LazyOptions = {},
): Generator<UserRecordView[], void, undefined> {
  const rules = readRules(options);
  const source = readSource(record);
  const bytes = asBuffer(source.data);
  if (!isFramed(bytes)) {
    yield* passWhole(source, rules.counts);
    return;
  }
  if (!isDigestRight(bytes)) {
    yield* defective("bad-digest", source, rules);
    return;
  }
  if (bytes.length > LARGE_BYTES) yield [];

  const reader = new MessageReader(bytes.subarray(MAGIC.length, bytes.length - DIGEST_BYTES));
  try {
    while (!reader.check(STEP_BYTES)) yield [];
  } catch {
    // Only the check is inside: a parse error, whatever protobufjs calls it.
    yield* defective("unparsable", source, rules);
    return;
  }
  if (reader.recordCount > rules.maxRecords) {
    rules.counts.tooManyRecords++;
    yield* passWhole(source, rules.counts);
    return;
  }
  rules.counts.aggregates++;
  yield* expand(reader, source, rules);
}

function* passWhole(source: SourceRecord, counts: DeaggregationCounts): Generator<UserRecordView[]> {
  counts.userRecords++;
  yield [
    {
      data: source.data,
      partitionKey: source.partitionKey,
      explicitHashKey: undefined,
      sequenceNumber: source.sequenceNumber,
      subSequenceNumber: 0,
      aggregated: false,
      tags: undefined,
    },
  ];
}

/** An aggregate that cannot be opened. */
function* defective(
  reason: "bad-digest" | "unparsable",
  source: SourceRecord,
  rules: Rules,
): Generator<UserRecordView[]> {
  if (reason === "bad-digest") rules.counts.badDigest++;
  else rules.counts.unparsable++;
  const outcome = reason === "bad-digest" ? rules.onBadDigest : rules.onUnparsable;
  if (outcome === "fail") throw new DeaggregationError(reason, source.sequenceNumber);
  if (outcome === "deliver") yield* passWhole(source, rules.counts);
}

function* expand(reader: MessageReader, source: SourceRecord, rules: Rules): Generator<UserRecordView[]> {
  const message = asBuffer(source.data).subarray(MAGIC.length);
  const verdicts = rules.range === undefined ? undefined : new RangeVerdicts(reader, rules.range);
  let slice: UserRecordView[] = [];
  let subSequenceNumber = -1;
  for (let found = reader.next(STEP_BYTES); found !== "end"; found = reader.next(STEP_BYTES)) {
    if (found === "pause" || slice.length === rules.sliceRecords) {
      yield slice;
      slice = [];
    }
    if (found === "pause") continue;
    subSequenceNumber++;
    const { partitionKeyIndex, explicitHashKeyIndex } = reader;
    const hasKey = partitionKeyIndex < reader.partitionKeys.count;
    const hasHashKey = explicitHashKeyIndex >= 0 && explicitHashKeyIndex < reader.explicitHashKeys.count;
    let isKept = true;
    if (!hasKey || (explicitHashKeyIndex >= 0 && !hasHashKey)) {
      rules.counts.badIndex++;
      isKept = keep(rules.onBadIndex, "bad-index", source, subSequenceNumber);
    } else if (verdicts?.isOutside(partitionKeyIndex, explicitHashKeyIndex) === true) {
      rules.counts.outOfRange++;
      isKept = keep(rules.onOutOfRange, "out-of-range", source, subSequenceNumber);
    }
    if (!isKept) continue;
    slice.push({
      data: message.subarray(reader.dataStart, reader.dataEnd),
      partitionKey: hasKey ? reader.partitionKeys.at(partitionKeyIndex) : undefined,
      explicitHashKey: hasHashKey ? reader.explicitHashKeys.at(explicitHashKeyIndex) : undefined,
      sequenceNumber: source.sequenceNumber,
      subSequenceNumber,
      aggregated: true,
      tags: reader.readTags(),
    });
    rules.counts.userRecords++;
  }
  if (slice.length > 0) yield slice;
}

function keep(
  outcome: DefectOutcome,
  reason: DeaggregationReason,
  source: SourceRecord,
  subSequenceNumber: number,
): boolean {
  if (outcome === "fail") throw new DeaggregationError(reason, source.sequenceNumber, subSequenceNumber);
  return outcome === "deliver";
}

/** Whether a table's keys are outside a shard's range, each judged once: a hash costs more than a record. */
class RangeVerdicts {
  readonly #reader: MessageReader;
  readonly #range: { readonly start: bigint; readonly end: bigint };
  /** 0 for not judged, 1 for inside, 2 for outside. */
  readonly #byPartitionKey: Uint8Array;
  readonly #byExplicitHashKey: Uint8Array;

  constructor(reader: MessageReader, range: { readonly start: bigint; readonly end: bigint }) {
    this.#reader = reader;
    this.#range = range;
    this.#byPartitionKey = new Uint8Array(reader.partitionKeys.count);
    this.#byExplicitHashKey = new Uint8Array(reader.explicitHashKeys.count);
  }

  /** Both indexes are within their tables; the second is -1 where there is none. */
  isOutside(partitionKeyIndex: number, explicitHashKeyIndex: number): boolean {
    const isExplicit = explicitHashKeyIndex >= 0;
    const verdicts = isExplicit ? this.#byExplicitHashKey : this.#byPartitionKey;
    const index = isExplicit ? explicitHashKeyIndex : partitionKeyIndex;
    let verdict = verdicts[index];
    if (verdict === 0) {
      const hashKey = isExplicit
        ? hashKeyOrUndefined(this.#reader.explicitHashKeys.at(index))
        : partitionKeyHash(this.#reader.partitionKeys.at(index));
      const isInside = hashKey !== undefined && hashKey >= this.#range.start && hashKey <= this.#range.end;
      verdict = isInside ? 1 : 2;
      verdicts[index] = verdict;
    }
    return verdict === 2;
  }
}

/** The same bytes as a Buffer, without a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
