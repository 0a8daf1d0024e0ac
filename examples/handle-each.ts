/**
 * Calls a handler for each record, tries again what fails, and counts words.
 *
 *     node examples/handle-each.ts STREAM APPLICATION
 */
import { Consumer } from "@millrace/consumer";

const [streamName, applicationName] = process.argv.slice(2);
if (streamName === undefined || applicationName === undefined) {
  console.error("usage: handle-each.ts STREAM APPLICATION");
  process.exit(64);
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const counts = new Map<string, number>();
const consumer = new Consumer({ streamName, applicationName });
await consumer.runEach(
  async (record, { attempt }) => {
    const word = record.text();
    // Stands for a call to something that is not always there.
    if (attempt === 1 && !counts.has(word)) throw new Error("try me again");
    counts.set(word, (counts.get(word) ?? 0) + 1);
    console.log(`${word} ${counts.get(word)}`);
  },
  { signal: stop.signal },
);
