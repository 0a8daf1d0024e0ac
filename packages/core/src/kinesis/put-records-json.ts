/**
 * Pure. Writes the body of a PutRecords request in `application/x-amz-json-1.1`.
 *
 * Each call out of JavaScript costs more than the few bytes that it moves: 500 records of 100 B took 0.4 us each with three
 * calls a record. So small payloads are put side by side, at multiples of three bytes, and encoded with one call; what that
 * wrote is then moved to its places. Source: API reference of PutRecords; RFC 4648 for base64; RFC 8259 for JSON.
 */
import type { PutRecordsInput, PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";

const openRecords = Buffer.from('{"Records":[');
const dataField = Buffer.from('{"Data":"');
const keyField = Buffer.from('","PartitionKey":');
const hashKeyField = Buffer.from(',"ExplicitHashKey":');
const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;
const equalsSign = 0x3d;
const closeBrace = 0x7d;

/** Payloads up to this size are encoded many at a time; for larger ones the moves cost more than the calls. */
const smallBytes = 1_024;
/** Room for those that are encoded together; it stays in the processor's cache. */
const gathered = Buffer.allocUnsafe(49_152);

/** The body of a PutRecords request. */
export function encodePutRecordsJson(input: PutRecordsInput): Buffer {
  const { Records: records = [], ...stream } = input;
  const tail = Buffer.from(`],${JSON.stringify(stream).slice(1)}`);
  let bytes = openRecords.length + tail.length + 1;
  const sizes = new Uint32Array(records.length);
  for (const [index, record] of records.entries()) {
    const size = entryBytes(record);
    sizes[index] = size;
    bytes += size;
  }
  const body = Buffer.allocUnsafe(bytes);
  body.set(openRecords, 0);
  let at = openRecords.length;
  for (let from = 0; from < records.length;) {
    const to = gather(records, from);
    at = to > from ? writeGathered(body, at, records, sizes, from, to) : writeLarge(body, at, records[from]);
    from = Math.max(to, from + 1);
  }
  // Every entry ends with a comma; after the last one the array ends instead.
  if (records.length > 0) at -= 1;
  body.set(tail, at);
  return body.subarray(0, at + tail.length);
}

function base64Bytes(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

function entryBytes({ Data, PartitionKey = "", ExplicitHashKey }: PutRecordsRequestEntry): number {
  const hashKeyBytes = ExplicitHashKey === undefined ? 0 : hashKeyField.length + jsonBytes(ExplicitHashKey);
  const data = base64Bytes(Data?.byteLength ?? 0);
  return dataField.length + data + keyField.length + jsonBytes(PartitionKey) + hashKeyBytes + 2;
}

/** True for a character that JSON writes as it is, in one byte. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code < 0x7f && code !== quote && code !== backslash;
}

/** Bytes of a text in JSON, with its quotes. */
function jsonBytes(text: string): number {
  for (let index = 0; index < text.length; index++) {
    if (!isPlain(text.charCodeAt(index))) return Buffer.byteLength(JSON.stringify(text));
  }
  return text.length + 2;
}

/** Puts small payloads side by side, and gives the index of the first record that was not taken. */
function gather(records: readonly PutRecordsRequestEntry[], from: number): number {
  let used = 0;
  let index = from;
  for (; index < records.length; index++) {
    const data = records[index]?.Data;
    if (data === undefined) continue;
    const end = used + data.byteLength;
    if (data.byteLength > smallBytes || end + 3 > gathered.length) break;
    gathered.set(data, used);
    used = end;
    while (used % 3 !== 0) gathered[used++] = 0;
  }
  return index;
}

function writeGathered(
  body: Buffer,
  start: number,
  records: readonly PutRecordsRequestEntry[],
  sizes: Uint32Array,
  from: number,
  to: number,
): number {
  let end = start;
  let used = 0;
  for (let index = from; index < to; index++) {
    end += sizes[index] ?? 0;
    used += Math.ceil((records[index]?.Data?.byteLength ?? 0) / 3) * 3;
  }
  // At the end of its region: whatever is written before it, no text is overwritten before it was moved to its place.
  let source = end - (used / 3) * 4;
  body.write(gathered.toString("base64", 0, used), source, "latin1");
  let at = start;
  for (let index = from; index < to; index++) {
    const record = records[index];
    if (record === undefined) continue;
    const bytes = record.Data?.byteLength ?? 0;
    const length = base64Bytes(bytes);
    body.set(dataField, at);
    at += dataField.length;
    body.copyWithin(at, source, source + length);
    source += length;
    at += length;
    if (bytes % 3 > 0) body[at - 1] = equalsSign;
    if (bytes % 3 === 1) body[at - 2] = equalsSign;
    at = writeKeys(body, at, record);
  }
  return at;
}

function writeLarge(body: Buffer, start: number, record: PutRecordsRequestEntry | undefined): number {
  if (record?.Data === undefined) return start;
  const { buffer, byteOffset, byteLength } = record.Data;
  body.set(dataField, start);
  let at = start + dataField.length;
  at += body.write(Buffer.from(buffer, byteOffset, byteLength).toString("base64"), at, "latin1");
  return writeKeys(body, at, record);
}

/** Writes what follows the payload, and a comma. */
function writeKeys(body: Buffer, start: number, record: PutRecordsRequestEntry): number {
  const { PartitionKey = "", ExplicitHashKey } = record;
  body.set(keyField, start);
  let at = writeText(body, start + keyField.length, PartitionKey);
  if (ExplicitHashKey !== undefined) {
    body.set(hashKeyField, at);
    at = writeText(body, at + hashKeyField.length, ExplicitHashKey);
  }
  body[at++] = closeBrace;
  body[at++] = comma;
  return at;
}

function writeText(body: Buffer, start: number, text: string): number {
  let at = start;
  body[at++] = quote;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (!isPlain(code)) return start + body.write(JSON.stringify(text), start, "utf8");
    body[at++] = code;
  }
  body[at++] = quote;
  return at;
}
