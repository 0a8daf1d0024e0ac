/**
 * Driver. A program of its own that puts, lies idle and closes: it must end by itself.
 */
import { KinesisSimulator } from "@millrace/simulator";
import { Producer } from "../producer.ts";

const simulator = new KinesisSimulator();
simulator.createStream({ streamName: "clicks" });
const producer = new Producer({ streamName: "clicks" }, { kinesis: simulator.kinesis });
const puts = Array.from({ length: 100 }, (_, index) => producer.put({ partitionKey: `${index}`, data: "x" }));
await producer.flush();
const stored = (await Promise.all(puts)).length;
await producer.close();
await simulator.close();
process.stdout.write(JSON.stringify({ stored }));
