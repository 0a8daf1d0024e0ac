/**
 * Pure. What goes into one PutRecordBatch request: records, and lines joined into records.
 *
 * Firehose bills each record rounded up to 5 KB, so that lines of 200 bytes joined into one record cost a 25th. Only
 * what ends in a newline is joined with what follows, so that a reader of lines sees the same lines.
 * Source of the rounding: Amazon Data Firehose pricing, read 2026-11-22.
 */

/** How full a request and its records may become. */
export interface BatchRules {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Lines are joined up to this size; 0 sends each as a record of its own. */
  readonly joinedMaxBytes: number;
}

interface Member {
  readonly data: Uint8Array;
}

/** A record of the request, and what it is made of. */
export interface JoinedRecord<M extends Member> {
  readonly members: M[];
  bytes: number;
}

const newline = 10;

/** A request that is being filled. */
export class Batch<M extends Member> {
  readonly records: JoinedRecord<M>[] = [];
  bytes = 0;
  readonly #rules: BatchRules;

  constructor(rules: BatchRules) {
    this.#rules = rules;
  }

  /** Takes a member, or gives false when the request has no room for it. An empty request takes any member. */
  add(member: M): boolean {
    const { maxBytes, maxRecords } = this.#rules;
    const bytes = member.data.byteLength;
    if (this.records.length > 0 && this.bytes + bytes > maxBytes) return false;
    const last = this.records.at(-1);
    if (last !== undefined && this.#joins(last, bytes)) {
      last.members.push(member);
      last.bytes += bytes;
    } else if (this.records.length < maxRecords) this.records.push({ members: [member], bytes });
    else return false;
    this.bytes += bytes;
    return true;
  }

  /** True when nothing more of any size would go in as a record of its own. */
  get isFull(): boolean {
    const { joinedMaxBytes, maxBytes, maxRecords } = this.#rules;
    return this.bytes >= maxBytes || (joinedMaxBytes === 0 && this.records.length >= maxRecords);
  }

  #joins(last: JoinedRecord<M>, bytes: number): boolean {
    if (last.bytes + bytes > this.#rules.joinedMaxBytes) return false;
    return last.members.at(-1)?.data.at(-1) === newline;
  }
}

/** The bytes of a record: its only member's own, or a copy of all. */
export function bytesOf({ bytes, members }: JoinedRecord<Member>): Uint8Array {
  const [first] = members;
  if (members.length === 1 && first !== undefined) return first.data;
  const joined = new Uint8Array(bytes);
  let end = 0;
  for (const { data } of members) {
    joined.set(data, end);
    end += data.byteLength;
  }
  return joined;
}

/** Two halves of what was sent, in order: of its records, or of the members of its only one. */
export function halvesOf<M extends Member>(records: readonly JoinedRecord<M>[]): readonly JoinedRecord<M>[][] {
  const [only] = records;
  if (records.length > 1) {
    const middle = Math.ceil(records.length / 2);
    return [records.slice(0, middle), records.slice(middle)];
  }
  if (only === undefined || only.members.length < 2) return [];
  const middle = Math.ceil(only.members.length / 2);
  return [only.members.slice(0, middle), only.members.slice(middle)].map((members) => [
    { members, bytes: members.reduce((sum, { data }) => sum + data.byteLength, 0) },
  ]);
}
