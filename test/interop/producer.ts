/**
 * Driver. What the KPL's own daemon writes over TLS into the simulator is read whole by us, and what our producer writes by
 * aws-kinesis-agg for Node.
 */
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";
import { deaggregate, type UserRecordView } from "@millrace/aggregation";
import { Producer, type ProducerOptions } from "@millrace/producer";
import { KinesisSimulator } from "@millrace/simulator";
import type { Lane } from "./support/lane.ts";
import { exchangeLines, fetchJava } from "./support/peers.ts";

const kplArtifacts = { whole: ["software.amazon.kinesis:amazon-kinesis-producer:1.0.7"] };

interface Input {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Buffer;
}

interface PeerRecord {
  readonly partitionKey: string;
  readonly data: string;
}
const peer = createRequire(import.meta.url)("aws-kinesis-agg") as {
  deaggregateSync(
    record: { readonly data: string; readonly partitionKey: string; readonly sequenceNumber: string },
    checksums: boolean,
    done: (error: unknown, records?: readonly PeerRecord[]) => void,
  ): void;
};

const keys = [
  "a",
  "k".repeat(256),
  "1562602074896",
  "0",
  "constructor",
  "\u6f22\u5b57\u3092\u66f8\u304f",
  "caf\u00e9",
  "\u{1F600}\u{1F680}",
];
const lastHashKey = String(2n ** 128n - 1n);

/** Records of awkward sizes and keys, each told apart by its data where it has any. */
function inputs(count: number): Input[] {
  return Array.from({ length: count }, (_, index) => {
    const partitionKey = keys[index % keys.length] ?? "a";
    const data = index % 11 === 0 ? Buffer.alloc(0) : Buffer.from(`record ${index} `.repeat(1 + (index % 7) ** 3));
    if (index % 5 === 1) return { partitionKey, data, explicitHashKey: index % 2 === 0 ? "0" : lastHashKey };
    return { partitionKey, data };
  });
}

const shapes = [
  { name: "1 record", records: inputs(1) },
  { name: "2 records", records: inputs(2) },
  { name: "129 records", records: inputs(129) },
  { name: "3,000 records", records: inputs(3_000) },
  { name: "a record of exactly the size limit", records: [{ partitionKey: "a", data: Buffer.alloc(1_048_575, 120) }] },
];

/** Both directions, each with every shape. */
export async function run(lane: Lane): Promise<void> {
  for (const shape of shapes) {
    await lane.check(`aws-kinesis-agg for Node reads what Millrace wrote: ${shape.name}`, () =>
      readByPeer(shape.records),
    );
  }
  for (const aggregationKey of ["first", "perKey"] as const) {
    await lane.check(`aws-kinesis-agg for Node reads what Millrace wrote: aggregationKey "${aggregationKey}"`, () =>
      readByPeer(inputs(3_000), { aggregationKey }),
    );
  }
  const tagged = inputs(400).map((record, index) =>
    Object.assign(record, { tags: { trace: `00-${index}`, "caf\u00e9": "" } }),
  );
  for (const options of [{}, { aggregationMaxRecords: 1 }]) {
    const how = "aggregationMaxRecords" in options ? "each alone" : "together";
    await lane.check(`aws-kinesis-agg for Node reads what Millrace wrote: tagged records, ${how}`, () =>
      readByPeer(tagged, options),
    );
  }
  const classPath = await fetchJava(lane.folder, kplArtifacts);
  for (const shape of shapes) {
    await lane.check(`Millrace reads what the KPL 1.0.7 wrote over TLS: ${shape.name}`, () =>
      readFromKpl(shape.records, classPath),
    );
  }
}

async function readByPeer(records: readonly Input[], options: Partial<ProducerOptions> = {}): Promise<void> {
  const simulator = new KinesisSimulator();
  simulator.createStream({ streamName: "clicks", shardCount: 3 });
  const producer = new Producer({ streamName: "clicks", ...options }, { kinesis: simulator.kinesis });
  await producer.putAll(records);
  await producer.close();
  const read: Input[] = [];
  for (const record of await readAll(simulator)) {
    const wire = { data: Buffer.from(record.data).toString("base64"), partitionKey: record.partitionKey ?? "" };
    peer.deaggregateSync({ ...wire, sequenceNumber: record.sequenceNumber }, true, (error, members = []) => {
      if (error) throw error instanceof Error ? error : new Error("the peer could not read the aggregate");
      // Its explicit hash keys are not compared: it gives the first of the table to every record that has none.
      for (const { partitionKey, data } of members) read.push({ partitionKey, data: Buffer.from(data, "base64") });
    });
  }
  await simulator.close();
  mustBeSame(read, records);
}

async function readFromKpl(records: readonly Input[], classPath: string): Promise<void> {
  const simulator = await KinesisSimulator.listen();
  try {
    simulator.createStream({ streamName: "clicks", shardCount: 3 });
    const { port } = new URL(simulator.tlsEndpoint);
    const writer = fileURLToPath(new URL("producer/KplWriter.java", import.meta.url));
    const lines = records.map(({ partitionKey, explicitHashKey = "", data }) =>
      [Buffer.from(partitionKey).toString("base64"), explicitHashKey, data.toString("base64")].join("\t"),
    );
    const shardIds = await exchangeLines("java", ["-cp", classPath, writer, port, "clicks"], lines);
    if (shardIds.length !== records.length) throw new Error(`the KPL stored ${shardIds.length} of ${records.length}`);
    const views = (await readAll(simulator)).flatMap((record) => deaggregate(record));
    mustBeSame(views.map(inputOf), records);
  } finally {
    await simulator.close();
  }
}

function inputOf({ partitionKey = "", explicitHashKey, data }: UserRecordView): Input {
  return { partitionKey, data: Buffer.from(data), ...(explicitHashKey !== undefined && { explicitHashKey }) };
}

async function readAll(simulator: KinesisSimulator) {
  const { kinesis } = simulator;
  const streamName = "clicks";
  const listed = await kinesis.listShards({ streamName });
  if (!listed.ok) throw listed.error;
  const records = [];
  for (const { shardId } of listed.value.shards) {
    const first = await kinesis.getShardIterator({ streamName, shardId, position: { type: "TRIM_HORIZON" } });
    if (!first.ok) throw first.error;
    const page = await kinesis.getRecords({ shardIterator: first.value.shardIterator });
    if (!page.ok) throw page.error;
    records.push(...page.value.records);
  }
  return records;
}

/** Compares as multisets. A reader cannot see the explicit hash key of a record that was stored alone. */
function mustBeSame(read: readonly Input[], written: readonly Input[]): void {
  const tell = ({ partitionKey, data }: Input) => `${partitionKey} ${data.toString("base64")}`;
  const [got, expected] = [read.map(tell).toSorted(), written.map(tell).toSorted()];
  if (!isDeepStrictEqual(got, expected)) {
    throw new Error(
      `read ${got.length} records, of which ${got.filter((one) => expected.includes(one)).length} were written`,
    );
  }
  const hashKeys = new Map(written.map((record) => [tell(record), record.explicitHashKey]));
  const wrong = read.filter(
    (record) => record.explicitHashKey !== undefined && record.explicitHashKey !== hashKeys.get(tell(record)),
  );
  // Empty records of one key cannot be told apart.
  if (wrong.some(({ data }) => data.length > 0)) {
    throw new Error(`${wrong.length} records came with another explicit hash key`);
  }
}
