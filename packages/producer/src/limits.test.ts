import type { Answer, KinesisPort, PutRecordsRequest } from "@millrace/core/kinesis";
import { expect, test } from "vitest";
import { ManualSystem } from "./testing-support/manual-system.ts";
import { equalShards } from "./testing-support/shards.ts";
import { compressNow } from "./testing-support/world.ts";
import { Producer } from "./producer.ts";

// Source: PutRecords; read 2026-11-22.
const maxRecords = 500;
const maxRequestBytes = 10_485_760;
const maxRecordBytes = 1_048_576;
const maxKeyCharacters = 256;

/** Inputs of a run: MILLRACE_INPUTS=1000000 for the full check. */
const inputs = Number(process.env["MILLRACE_INPUTS"] ?? 20_000);
const ok = <T>(value: T): Promise<Answer<T>> => Promise.resolve({ ok: true, value, serviceTime: undefined });

/** A service that stores nothing and checks every request against the limits. */
class StrictService implements Partial<KinesisPort> {
  readonly faults: string[] = [];
  requests = 0;
  kinesisRecords = 0;
  #sequence = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  listShards = () => ok({ shards: equalShards(3), nextToken: undefined });
  describeStreamSummary = () =>
    Promise.resolve({ ok: false, error: { kind: "permanent", code: "AccessDeniedException" } } as never);

  putRecords = (request: PutRecordsRequest) => {
    this.requests += 1;
    const { records } = request;
    this.kinesisRecords += records.length;
    let bytes = 0;
    const results = records.map(({ data, partitionKey, explicitHashKey }) => {
      const recordBytes = data.byteLength + Buffer.byteLength(partitionKey);
      bytes += recordBytes;
      this.#check(recordBytes <= maxRecordBytes, `a record of ${recordBytes} bytes`);
      const characters = Array.from(partitionKey).length;
      this.#check(characters >= 1 && characters <= maxKeyCharacters, `a key of ${characters} characters`);
      const hashKey = explicitHashKey === undefined ? 0n : BigInt(explicitHashKey);
      this.#check(hashKey >= 0n && hashKey < 1n << 128n, `a hash key of ${explicitHashKey}`);
      const draw = this.#random();
      if (draw < 0.02)
        return { ok: false, errorCode: "ProvisionedThroughputExceededException", errorMessage: "" } as const;
      if (draw < 0.03) return { ok: false, errorCode: "InternalFailure", errorMessage: "" } as const;
      this.#sequence += 1;
      return { ok: true, shardId: "shardId-000000000000", sequenceNumber: String(this.#sequence) } as const;
    });
    this.#check(records.length >= 1 && records.length <= maxRecords, `${records.length} records`);
    this.#check(bytes <= maxRequestBytes, `a request of ${bytes} bytes`);
    return ok({ records: results });
  };

  #check(holds: boolean, what: string): void {
    if (!holds) this.faults.push(what);
  }
}

test("no request is over any limit of the service, whatever is put [C6]", { timeout: 600_000 }, async () => {
  const system = new ManualSystem(7);
  const random = () => system.random();
  const service = new StrictService(random);
  const keys = ["k", "\u{1F600}".repeat(256), "\u6f22".repeat(200), "1562602074896", "\0", "x".repeat(256)];
  const total = { stored: 0 };
  let put = 0;
  while (put < inputs) {
    const producer = new Producer(
      {
        streamName: "clicks",
        ...(random() < 0.7
          ? { compression: random() < 0.2 ? ("gzip" as const) : ("none" as const) }
          : { aggregation: false }),
        aggregationKey: (["a", "first", "perKey"] as const)[Math.floor(random() * 3)],
        aggregationMaxBytes: Math.floor(64 + random() ** 4 * 1_000_000),
        collectionMaxBytes: Math.floor(52_224 + random() * 10_000_000),
        collectionMaxRecords: Math.ceil(random() * 500),
        recordMaxBufferedMs: Math.floor(random() * 200),
        rateLimitPercent: Math.ceil(random() * 100_000),
        recordTtlMs: 600_000,
      },
      { kinesis: service as unknown as KinesisPort, system, compress: compressNow },
    );
    const puts: Promise<unknown>[] = [];
    for (let count = 0; count < 2_000 && put < inputs; count++, put++) {
      const size = random() < 0.005 ? random() * 1_038_000 : random() ** 6 * 20_000;
      puts.push(
        producer.put({
          partitionKey: (keys[Math.floor(random() * keys.length)] ?? "k").slice(0, 512),
          data: Buffer.alloc(Math.floor(size)),
          ...(random() < 0.1 && { tags: { trace: "x".repeat(Math.floor(random() ** 4 * 8_000)) } }),
          ...(random() < 0.2 && { explicitHashKey: BigInt(Math.floor(random() * 2 ** 48)) << 80n }),
        }),
      );
      if (random() < 0.01) await system.advance(random() * 100);
    }
    const all = Promise.all(puts).then((results) => (total.stored += results.length));
    const closed = producer.close();
    const expected = total.stored + puts.length;
    for (let turns = 0; total.stored < expected && turns < 10_000; turns++) await system.advance(100);
    await all;
    await closed;
  }
  expect(service.faults).toEqual([]);
  expect(total.stored).toBe(inputs);
  expect(service.requests).toBeGreaterThan(10);
  expect(service.kinesisRecords).toBeGreaterThan(100);
});
