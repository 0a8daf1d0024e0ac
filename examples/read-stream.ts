/**
 * Prints every record of a stream as a line, from where this application stopped the last time.
 *
 * Start it as often as you like under the same application name: the workers share the shards, and when one ends, the
 * others take over its shards.
 *
 *     node examples/read-stream.ts STREAM APPLICATION
 */
import { Consumer } from "@millrace/consumer";

const [streamName, applicationName] = process.argv.slice(2);
if (streamName === undefined || applicationName === undefined) {
  console.error("usage: read-stream.ts STREAM APPLICATION");
  process.exit(64);
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const consumer = new Consumer({ streamName, applicationName });
await consumer.run(
  async (shard) => {
    for await (const batch of shard) {
      for (const record of batch.records) console.log(record.text());
      // What follows a failure begins after the last checkpoint.
      await batch.checkpoint();
    }
  },
  { signal: stop.signal },
);
