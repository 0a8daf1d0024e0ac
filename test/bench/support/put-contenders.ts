/**
 * Adapter. Those who store records in the producer's bench, each as its users would use it.
 *
 * All send to the same sink over connections that are kept, where their name does not say otherwise.
 */
import { KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import { Producer, type ProducerOptions } from "@millrace/producer";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Agent } from "node:http";
import { createRequire } from "node:module";

interface PeerAggregate {
  readonly data: Buffer;
  readonly partitionKey: string;
  readonly explicitHashKey: string;
}
interface PeerAggregator {
  addUserRecord(record: { partitionKey: string; data: Buffer }): void;
  clearRecords(): void;
  build(): PeerAggregate | null;
}
const { RecordAggregator } = createRequire(import.meta.url)("aws-kinesis-agg") as {
  readonly RecordAggregator: new () => PeerAggregator;
};

/** Ports of the sink's process. */
export interface Sink {
  readonly http1: number;
  readonly http2: number;
}

export interface Input {
  readonly partitionKey: string;
  readonly data: Buffer;
}

export interface PutContender {
  /** Stores every record of `inputs`, `times` times over. */
  run(inputs: readonly Input[], times: number): Promise<void>;
  close(): Promise<void> | void;
}

const StreamName = "bench";
const requestsInFlight = 4;
const aggregateBytes = 49_900;
const region = "us-east-1";
const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };

/** By the names in the tables. */
export const contenders: Readonly<Record<string, (sink: Sink) => PutContender>> = {
  "Millrace, JSON": (sink) => new MillracePuts(sink, {}),
  "Millrace, CBOR": (sink) => new MillracePuts(sink, { wireFormat: "cbor" }),
  "Millrace, CBOR, offer": (sink) => new MillraceOffers(sink, { wireFormat: "cbor" }),
  "aws-kinesis-agg + SDK, keep-alive": (sink) => new AggregatorWithSdk(keepAliveClient(sink)),
  "Millrace, JSON, plain": (sink) => new MillracePuts(sink, { aggregation: false }),
  "Millrace, CBOR, plain": (sink) => new MillracePuts(sink, { aggregation: false, wireFormat: "cbor" }),
  "SDK, keep-alive": (sink) => new SdkAlone(keepAliveClient(sink)),
  "SDK, default": (sink) =>
    new SdkAlone(new KinesisClient({ region, credentials, endpoint: `http://127.0.0.1:${sink.http2}` })),
};

function keepAliveClient(sink: Sink): KinesisClient {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 24 });
  const endpoint = `http://127.0.0.1:${sink.http1}`;
  return new KinesisClient({ region, credentials, endpoint, requestHandler: new NodeHttpHandler({ httpAgent }) });
}

function producerFor(sink: Sink, options: Partial<ProducerOptions>): { producer: Producer; client: KinesisClient } {
  const client = keepAliveClient(sink);
  // The sink has no limit; a real shard's would be what is measured.
  return {
    producer: new Producer({ streamName: StreamName, client, rateLimitPercent: 1_000_000, ...options }),
    client,
  };
}

/** Records put before those put earlier are awaited: about four requests' worth, as the others have under way. */
const batchRecords = { aggregated: 20_000, plain: 2_000 };

/** A promise for each record, each awaited: all of a batch, one batch behind the last put. */
class MillracePuts implements PutContender {
  readonly #producer: Producer;
  readonly #client: KinesisClient;
  readonly #batch: number;

  constructor(sink: Sink, options: Partial<ProducerOptions>) {
    ({ producer: this.#producer, client: this.#client } = producerFor(sink, options));
    this.#batch = options.aggregation === false ? batchRecords.plain : batchRecords.aggregated;
  }

  async run(inputs: readonly Input[], times: number): Promise<void> {
    const producer = this.#producer;
    // Large records are few, so that two batches of them fit into the producer's buffer.
    const batch = Math.min(this.#batch, inputs.length);
    let before: Promise<unknown>[] = [];
    let puts: Promise<unknown>[] = [];
    for (let time = 0; time < times; time++) {
      for (const { partitionKey, data } of inputs) {
        puts.push(producer.put({ partitionKey, data }));
        if (puts.length < batch) continue;
        await Promise.all(before);
        before = puts;
        puts = [];
      }
    }
    await producer.flush();
    await Promise.all([...before, ...puts]);
  }

  async close(): Promise<void> {
    await this.#producer.close();
    this.#client.destroy();
  }
}

/** Without promises, as a request handler does it. */
class MillraceOffers implements PutContender {
  readonly #producer: Producer;
  readonly #client: KinesisClient;

  constructor(sink: Sink, options: Partial<ProducerOptions>) {
    ({ producer: this.#producer, client: this.#client } = producerFor(sink, options));
  }

  async run(inputs: readonly Input[], times: number): Promise<void> {
    const producer = this.#producer;
    for (let time = 0; time < times; time++) {
      for (const { partitionKey, data } of inputs) {
        while (!producer.offer({ partitionKey, data })) await producer.ready();
      }
      // As between the callbacks of a server: what is due is sent.
      await new Promise(setImmediate);
    }
    await producer.flush();
  }

  async close(): Promise<void> {
    await this.#producer.close();
    this.#client.destroy();
  }
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

  add(entry: PutRecordsRequestEntry): Promise<void> | undefined {
    this.#entries.push(entry);
    this.#bytes += entry.Data?.byteLength ?? 0;
    return this.#entries.length >= 500 || this.#bytes >= 4_194_304 ? this.#send() : undefined;
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

/** AWS's library for Node, with the same target as ours: its own bound is 1 MiB. No promise per record. */
class AggregatorWithSdk implements PutContender {
  readonly #client: KinesisClient;

  constructor(client: KinesisClient) {
    this.#client = client;
  }

  async run(inputs: readonly Input[], times: number): Promise<void> {
    const sender = new RequestSender(this.#client);
    const aggregator = new RecordAggregator();
    let bytes = 0;
    const close = () => {
      const built = aggregator.build();
      aggregator.clearRecords();
      bytes = 0;
      if (built === null) return undefined;
      const { data, partitionKey, explicitHashKey } = built;
      return sender.add({ Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey });
    };
    for (let time = 0; time < times; time++) {
      for (const { partitionKey, data } of inputs) {
        const cost = data.length + partitionKey.length + 10;
        if (bytes > 0 && bytes + cost > aggregateBytes) {
          const sent = close();
          if (sent !== undefined) await sent;
        }
        aggregator.addUserRecord({ partitionKey, data });
        bytes += cost;
      }
    }
    await close();
    await sender.end();
  }

  close(): void {
    this.#client.destroy();
  }
}

class SdkAlone implements PutContender {
  readonly #client: KinesisClient;

  constructor(client: KinesisClient) {
    this.#client = client;
  }

  async run(inputs: readonly Input[], times: number): Promise<void> {
    const sender = new RequestSender(this.#client);
    for (let time = 0; time < times; time++) {
      for (const { partitionKey, data } of inputs) {
        const sent = sender.add({ Data: data, PartitionKey: partitionKey });
        if (sent !== undefined) await sent;
      }
    }
    await sender.end();
  }

  close(): void {
    this.#client.destroy();
  }
}
