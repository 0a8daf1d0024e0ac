/**
 * Driver. A program of its own that puts without awaiting while the service is away, and tells what it holds: by the
 * producer's count, and by the engine's after a full collection. Run it with --expose-gc.
 *
 *     outage-memory.ts <bytes a record> <"before" or "after" the stream became known>
 */
import { refusal, World } from "./world.ts";

const dataBytes = Number(process.argv[2]);
const outage = process.argv[3];
const collect = globalThis.gc;
if (collect === undefined) throw new Error("run with --expose-gc");

// What is paid once, whatever the buffer: code, hashing, aggregators kept to be filled again.
const first = new World({ stream: { shardCount: 4 } });
const warm = first.producer();
await first.until(warm.putAll(Array.from({ length: 3_000 }, (_, index) => ({ partitionKey: `${index}`, data: "x" }))));
await first.until(warm.close());

const world = new World({ stream: { shardCount: 4 } });
const producer = world.producer({ maxBufferedBytes: 16_777_216, recordTtlMs: 600_000, onEvent: () => {} });
const away = () => Promise.resolve(refusal<never>("ECONNREFUSED", "transient"));
const counts = { puts: 0, refused: 0 };
const onRefused = () => {
  counts.refused += 1;
};

if (outage === "after") await world.until(producer.put({ partitionKey: "first", data: "x" }));
world.port.on("putRecords", away);
world.port.on("listShards", away);
world.port.on("describeStreamSummary", away);

function heldByEngine(): number {
  // The bytes of buffers are freed beside the collection that finds them; the next one waits for that.
  for (let turn = 0; turn < 3; turn++) collect?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const before = heldByEngine();
// Past the first refusal the buffer and the places of those that wait are full.
for (let turn = 0; counts.refused === 0 && turn < 1_000; turn++) {
  for (let index = 0; index < 200; index++) {
    counts.puts += 1;
    producer.put({ partitionKey: `key-${counts.puts}`, data: Buffer.alloc(dataBytes, index) }).catch(onRefused);
  }
  await world.system.advance(10);
}
await world.system.advance(20_000);
const held = heldByEngine() - before;
const { records, bytes } = producer.buffered;
process.stdout.write(JSON.stringify({ refused: counts.refused, records, countedBytes: bytes, heldBytes: held }));
