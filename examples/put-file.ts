/**
 * Puts every line of a file, in memory that does not grow with the file, and prints how many were stored.
 *
 *     node examples/put-file.ts STREAM FILE
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Producer } from "@millrace/producer";
import type { UserRecord } from "@millrace/producer";

const [streamName, file] = process.argv.slice(2);
if (streamName === undefined || file === undefined) {
  console.error("usage: put-file.ts STREAM FILE");
  process.exit(64);
}

async function* readRecords(path: string): AsyncGenerator<UserRecord> {
  for await (const line of createInterface({ input: createReadStream(path) })) {
    // A key that is spread evenly uses all shards; equal lines keep their order.
    yield { partitionKey: createHash("md5").update(line).digest("hex"), data: line };
  }
}

const producer = new Producer({ streamName });
// Lines are read only as fast as there is room for them.
const { stored } = await producer.putAll(readRecords(file));
console.log(`${stored} records stored`);
await producer.close();
