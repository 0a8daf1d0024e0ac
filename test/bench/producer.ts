/**
 * Driver. What it costs to store records: Millrace against AWS's library for Node with the SDK, and the SDK alone.
 *
 * One sink in a process of its own answers everybody. Millrace gives a promise per record and awaits each; the others give
 * none.
 */
import { KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import { Producer } from "@millrace/producer";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { fork } from "node:child_process";
import { Agent } from "node:http";
import { createRequire } from "node:module";
import type { Report, Row } from "./support/report.ts";

interface PeerAggregate {
  readonly data: Buffer;
  readonly partitionKey: string;
  readonly explicitHashKey: string;
}
interface PeerAggregator {
  addUserRecord(record: { partitionKey: string; data: Buffer }): void;
  checkIfUserRecordFits(record: { partitionKey: string; data: Buffer }): boolean;
  clearRecords(): void;
  build(): PeerAggregate | null;
}
const { RecordAggregator } = createRequire(import.meta.url)("aws-kinesis-agg") as {
  readonly RecordAggregator: new () => PeerAggregator;
};

const StreamName = "bench";
const requestsInFlight = 4;
const aggregateBytes = 49_900;
const region = "us-east-1";
const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
const rounds = 3;
const windowRecords = 20_000;

interface Sink {
  readonly http1: number;
  readonly http2: number;
}
interface Input {
  readonly partitionKey: string;
  readonly data: Buffer;
}
interface Contender {
  readonly name: string;
  run(records: readonly Input[]): Promise<void>;
  close(): Promise<void> | void;
}

const shapes = [
  { name: "100 B", dataBytes: 100, records: 200_000, plainRecords: 40_000 },
  { name: "200 B", dataBytes: 200, records: 200_000, plainRecords: 40_000 },
  { name: "1 KB", dataBytes: 1_000, records: 60_000, plainRecords: 20_000 },
  { name: "50 KB", dataBytes: 50_000, records: 2_000, plainRecords: 2_000 },
];

/** Measures each size; CPU is of this process alone, the sink's does not count. */
export async function run(report: Report): Promise<void> {
  report.begin(
    "producer",
    `CPU-seconds (user and system, all threads, without the sink) per million records; median of ${rounds} interleaved ` +
      "rounds after a warm-up; lower is better. The ratio is CPU against the first row: above 1 is dearer.",
  );
  const child = fork(new URL("support/sink.ts", import.meta.url));
  try {
    const sink = await new Promise<Sink>((resolve) => child.once("message", (ports) => resolve(ports as Sink)));
    for (const shape of shapes) await compareShape(report, sink, shape);
  } finally {
    child.disconnect();
  }
}

async function compareShape(report: Report, sink: Sink, shape: (typeof shapes)[number]): Promise<void> {
  const input = Array.from({ length: shape.records }, (_, index) => ({
    partitionKey: `key-${String(index).padStart(12, "0")}`,
    data: Buffer.alloc(shape.dataBytes, 97 + (index % 26)),
  }));
  const plain = input.slice(0, shape.plainRecords);
  await measure(report, `${shape.name}, aggregated`, input, [
    millrace("Millrace, JSON", sink, {}),
    millrace("Millrace, CBOR", sink, { wireFormat: "cbor" }),
    aggregatorWithSdk(sink),
  ]);
  await measure(report, `${shape.name}, plain records, 500 a request`, plain, [
    millrace("Millrace, JSON", sink, { aggregation: false }),
    millrace("Millrace, CBOR", sink, { aggregation: false, wireFormat: "cbor" }),
    sdkAlone("SDK, keep-alive", keepAliveClient(sink)),
    sdkAlone("SDK, default", new KinesisClient({ region, credentials, endpoint: `http://127.0.0.1:${sink.http2}` })),
  ]);
}

async function measure(
  report: Report,
  title: string,
  input: readonly Input[],
  contenders: readonly Contender[],
): Promise<void> {
  const cpu = contenders.map((): number[] => []);
  const wall = contenders.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const place = (round + turn) % contenders.length;
      const before = process.cpuUsage();
      const startedAt = performance.now();
      await contenders[place]?.run(input);
      const { user, system } = process.cpuUsage(before);
      if (round === 0) continue;
      cpu[place]?.push((user + system) / input.length);
      wall[place]?.push(input.length / (performance.now() - startedAt));
    }
  }
  for (const contender of contenders) await contender.close();
  const first = median(cpu[0]);
  const rows = contenders.map(({ name }, place): Row => ({
    name,
    values: { "CPU-s/M records": median(cpu[place]), "k records/s": median(wall[place]) },
    ratio: median(cpu[place]) / first,
  }));
  report.add({ title, rows });
}

function median(values: readonly number[] = []): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function keepAliveClient(sink: Sink): KinesisClient {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 24 });
  const endpoint = `http://127.0.0.1:${sink.http1}`;
  return new KinesisClient({ region, credentials, endpoint, requestHandler: new NodeHttpHandler({ httpAgent }) });
}

function millrace(
  name: string,
  sink: Sink,
  options: { readonly aggregation?: boolean; readonly wireFormat?: "json" | "cbor" },
): Contender {
  const client = keepAliveClient(sink);
  // The sink has no limit; a real shard's would be what is measured.
  const producer = new Producer({ streamName: StreamName, client, rateLimitPercent: 1_000_000, ...options });
  return {
    name,
    async run(records) {
      // Awaits each promise, a window behind the last put: as a service does that has many requests under way.
      let before: Promise<unknown>[] = [];
      let puts: Promise<unknown>[] = [];
      for (const record of records) {
        puts.push(producer.put(record));
        if (puts.length < windowRecords) continue;
        await Promise.all(before);
        before = puts;
        puts = [];
      }
      await producer.flush();
      await Promise.all([...before, ...puts]);
    },
    async close() {
      await producer.close();
      client.destroy();
    },
  };
}

/** Sends entries in requests of at most 500 records and 4 MiB, a few in flight. */
class RequestSender {
  readonly #client: KinesisClient;
  readonly #inFlight = new Set<Promise<unknown>>();
  #entries: PutRecordsRequestEntry[] = [];
  #bytes = 0;

  constructor(client: KinesisClient) {
    this.#client = client;
  }

  async add(entry: PutRecordsRequestEntry): Promise<void> {
    this.#entries.push(entry);
    this.#bytes += entry.Data?.byteLength ?? 0;
    if (this.#entries.length >= 500 || this.#bytes >= 4_194_304) await this.#send();
  }

  async end(): Promise<void> {
    if (this.#entries.length > 0) await this.#send();
    await Promise.all(this.#inFlight);
  }

  async #send(): Promise<void> {
    const sent: Promise<unknown> = this.#client
      .send(new PutRecordsCommand({ StreamName, Records: this.#entries }))
      .finally(() => this.#inFlight.delete(sent));
    this.#entries = [];
    this.#bytes = 0;
    this.#inFlight.add(sent);
    if (this.#inFlight.size >= requestsInFlight) await Promise.race(this.#inFlight);
  }
}

function aggregatorWithSdk(sink: Sink): Contender {
  const client = keepAliveClient(sink);
  return {
    name: "aws-kinesis-agg + SDK, keep-alive",
    async run(records) {
      const sender = new RequestSender(client);
      let aggregator = new RecordAggregator();
      let bytes = 0;
      const close = async () => {
        const built = aggregator.build();
        aggregator = new RecordAggregator();
        bytes = 0;
        if (built === null) return;
        const { data, partitionKey, explicitHashKey } = built;
        await sender.add({ Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey });
      };
      for (const record of records) {
        // Its own bound is 1 MiB; the same target as ours makes the same number of Kinesis records.
        const cost = record.data.length + record.partitionKey.length + 10;
        if (bytes > 0 && bytes + cost > aggregateBytes) await close();
        aggregator.addUserRecord(record);
        bytes += cost;
      }
      await close();
      await sender.end();
    },
    close: () => client.destroy(),
  };
}

function sdkAlone(name: string, client: KinesisClient): Contender {
  return {
    name,
    async run(records) {
      const sender = new RequestSender(client);
      for (const { data, partitionKey } of records) await sender.add({ Data: data, PartitionKey: partitionKey });
      await sender.end();
    },
    close: () => client.destroy(),
  };
}
