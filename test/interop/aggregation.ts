/**
 * Driver. Aggregates against kinesis-aggregation in Python, Java (which reads with the KCL) and Node, in both directions.
 */
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Aggregator, deaggregate } from "@millrace/aggregation";
import type { UserRecordView } from "@millrace/aggregation";
import { cases, recordMaxBytes } from "./aggregation/cases.ts";
import type { InteropCase } from "./aggregation/cases.ts";
import type { Lane } from "./support/lane.ts";
import { exchangeLines, fetchJava, fetchPython } from "./support/peers.ts";

const pythonPackages = ["aws_kinesis_agg==1.2.3", "protobuf==3.20.3", "six==1.17.0"];
const javaArtifacts = {
  alone: [
    "com.amazonaws:amazon-kinesis-aggregator:1.0.3",
    "com.amazonaws:amazon-kinesis-deaggregator:1.0.3",
    "com.amazonaws:amazon-kinesis-client:1.8.8",
    "com.amazonaws:aws-java-sdk-core:1.11.218",
    "com.amazonaws:aws-java-sdk-kinesis:1.11.218",
    "com.amazonaws:aws-lambda-java-events:1.1.0",
    "com.fasterxml.jackson.core:jackson-annotations:2.6.0",
    "com.fasterxml.jackson.core:jackson-core:2.6.7",
    "com.fasterxml.jackson.core:jackson-databind:2.6.7.1",
    "com.google.guava:guava:18.0",
    "com.google.protobuf:protobuf-java:2.6.1",
    "commons-lang:commons-lang:2.6",
    "commons-logging:commons-logging:1.1.3",
    "joda-time:joda-time:2.8.1",
  ],
};

interface PlainRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string | null;
  /** Base64. */
  readonly data: string;
}

type Attempt<T> = T | { readonly error: string };

interface Answer {
  readonly read: Attempt<PlainRecord[]>;
  /** Data of Kinesis records, in base64. */
  readonly written: Attempt<string[]>;
}

interface Peer {
  readonly name: string;
  /** Sends one line for each case and resolves with the answers. */
  exchange(lines: readonly string[]): Promise<string[]>;
  /** Cases that the peer cannot read, each with the reason. */
  readonly cannotRead?: ReadonlyMap<string, string>;
  /** Cases that the peer cannot write, each with the defect or limit of the peer that keeps it from doing so. */
  readonly cannotWrite?: ReadonlyMap<string, string>;
}

/** Checks every case against every peer. */
export async function run(lane: Lane): Promise<void> {
  for (const fetch of [fetchNodePeer, fetchPythonPeer, fetchJavaPeer]) {
    // A peer that cannot be fetched fails the lane, and the others still run.
    await fetch(lane).then(
      (peer) => runPeer(lane, peer),
      (error: unknown) => lane.fail("a peer could not be fetched", error),
    );
  }
}

async function runPeer(lane: Lane, peer: Peer): Promise<void> {
  const blobs = cases.map(encode);
  const lines = cases.map(({ records }, index) => {
    const plain = records.map((record) => ({ ...record, data: base64(record.data) }));
    return JSON.stringify({ blob: base64(blobs[index] ?? Buffer.alloc(0)), records: plain });
  });
  const answers = (await peer.exchange(lines)).map((line) => JSON.parse(line) as Answer);
  if (answers.length !== cases.length)
    throw new Error(`${peer.name} answered ${answers.length} of ${cases.length} cases.`);
  for (const [index, one] of cases.entries()) {
    const answer = answers[index];
    await checkBut(lane, `${peer.name} reads ours: ${one.name}`, peer.cannotRead?.get(one.name), () =>
      checkRead(one, answer?.read),
    );
    await checkBut(lane, `ours reads ${peer.name}'s: ${one.name}`, peer.cannotWrite?.get(one.name), () =>
      checkWritten(one, answer?.written),
    );
  }
}

/** A check that must pass, or that must fail for a known reason: should the peer be mended, its exception must go. */
async function checkBut(lane: Lane, what: string, reason: string | undefined, test: () => void): Promise<void> {
  if (reason === undefined) return lane.check(what, test);
  return lane.check(`${what}: not possible, ${reason}`, () => {
    let hasFailed = false;
    try {
      test();
    } catch {
      hasFailed = true;
    }
    if (!hasFailed) throw new Error("It works: take it off the list of what the peer cannot do.");
  });
}

/** Our aggregate of a case, which fits an ordinary stream. */
function encode({ name, records }: InteropCase): Uint8Array {
  const aggregator = new Aggregator({ maxBytes: recordMaxBytes - 1 });
  for (const record of records) {
    if (!aggregator.add(record)) throw new Error(`${name} does not fit into one record.`);
  }
  const { data, partitionKey } = aggregator.build();
  if (data.length + Buffer.byteLength(partitionKey) > recordMaxBytes) throw new Error(`${name} is too large.`);
  return data;
}

function checkRead({ records }: InteropCase, read: Answer["read"] | undefined): void {
  const members = unwrap(read);
  const isAlone = records.length === 1;
  const seen = members.map(({ partitionKey, explicitHashKey, data }, index) => ({
    partitionKey,
    // A record without one: the readers for Python and Node answer entry 0 of the table in its place.
    explicitHashKey: records[index]?.explicitHashKey === undefined ? undefined : explicitHashKey,
    data,
  }));
  const expected = records.map(({ partitionKey, explicitHashKey, data }) => ({
    // A record alone goes out as it is: its key is that of the Kinesis record, which the peers were told is "outer".
    partitionKey: isAlone ? "outer" : partitionKey,
    explicitHashKey: isAlone ? undefined : explicitHashKey,
    data: base64(data),
  }));
  mustEqual(seen, expected);
}

/** Throws unless ours reads the case's records out of what the peer wrote. */
function checkWritten({ records }: InteropCase, written: Answer["written"] | undefined): void {
  const expected = records.map(({ partitionKey, data }) => ({ partitionKey, data: base64(data) }));
  const views = unwrap(written).flatMap(decode);
  mustEqual(views.map(withoutHashKey), expected);
  for (const [index, { explicitHashKey }] of records.entries()) {
    // The writer for Java stores a hash key of its own for a record without one.
    if (explicitHashKey !== undefined) mustEqual(views[index]?.explicitHashKey, explicitHashKey);
  }
}

function decode(blob: string): UserRecordView[] {
  return deaggregate({ data: Buffer.from(blob, "base64"), partitionKey: "outer", sequenceNumber: "1" }, strict);
}

const strict = { onBadDigest: "fail", onUnparsable: "fail", onBadIndex: "fail" } as const;

function withoutHashKey({ partitionKey, data }: UserRecordView): { partitionKey: string | undefined; data: string } {
  return { partitionKey, data: base64(data) };
}

function unwrap<T>(attempt: Attempt<T[]> | undefined): T[] {
  if (Array.isArray(attempt)) return attempt;
  throw new Error(`the peer failed: ${attempt?.error ?? "no answer"}`);
}

function mustEqual(seen: unknown, expected: unknown): void {
  if (isDeepStrictEqual(seen, expected)) return;
  throw new Error(`seen     ${shorten(seen)}\nexpected ${shorten(expected)}`);
}

function shorten(value: unknown): string {
  return JSON.stringify(value).slice(0, 300);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function fileHere(name: string): string {
  return fileURLToPath(new URL(`./aggregation/${name}`, import.meta.url));
}

async function fetchNodePeer(): Promise<Peer> {
  return {
    name: "Node",
    exchange: (lines) => exchangeLines(process.execPath, [fileHere("peer.cjs")], lines),
    cannotRead: new Map([
      ["one record that begins with the magic bytes", "it fails on what begins like an aggregate and is none"],
    ]),
    cannotWrite: new Map([
      ["keys that look like integers", "it keeps keys in an object, which sorts them"],
      ["keys that are names of Object", "it keeps keys in an object, which has them already"],
      ["explicit hash keys on all", "it keeps them in an object, which sorts the small ones"],
    ]),
  };
}

async function fetchPythonPeer(lane: Lane): Promise<Peer> {
  const python = await fetchPython(lane.folder, pythonPackages);
  return {
    name: "Python",
    exchange: (lines) => exchangeLines(python, [fileHere("peer.py")], lines),
  };
}

async function fetchJavaPeer(lane: Lane): Promise<Peer> {
  const classPath = await fetchJava(lane.folder, javaArtifacts);
  return {
    name: "Java",
    exchange: (lines) => exchangeLines("java", ["-cp", classPath, fileHere("Peer.java")], lines),
    cannotWrite: new Map([["256 characters of four bytes as a key", "it counts UTF-16 units, of which they are 512"]]),
  };
}
