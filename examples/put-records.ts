/**
 * Puts each argument as a record, and prints where it was stored.
 *
 *     node examples/put-records.ts STREAM TEXT...
 */
import { Producer } from "@millrace/producer";

const [streamName, ...texts] = process.argv.slice(2);
if (streamName === undefined) {
  console.error("usage: put-records.ts STREAM TEXT...");
  process.exit(64);
}

const producer = new Producer({ streamName });
// All are put before the first is awaited, so that they travel together: awaiting each in turn would cost a linger each.
const puts = texts.map((text) => producer.put({ partitionKey: text, data: text }));
for (const { shardId, sequenceNumber } of await Promise.all(puts)) console.log(`${shardId} ${sequenceNumber}`);
await producer.close();
