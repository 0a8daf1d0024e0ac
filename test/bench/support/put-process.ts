/**
 * Driver. A process of its own for one contender of the producer's bench: each has its own heap and its own compiled code,
 * so that no one's garbage and no one's shapes are another's cost.
 *
 *     put-process.ts <contender> <port of HTTP/1.1> <port of HTTP/2> <data bytes> <distinct records> <times a round>
 *
 * Does one round for each message, and answers with what that took.
 */
import { contenders, type Input } from "./put-contenders.ts";

export interface Round {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

const [name = "", http1, http2, dataBytes, distinct, times] = process.argv.slice(2);
const open = contenders[name];
if (open === undefined) throw new Error(`no contender named ${name}`);

// Small buffers share slabs, as those made of text do.
const inputs = Array.from({ length: Number(distinct) }, (_, index): Input => ({
  partitionKey: `key-${String(index).padStart(12, "0")}`,
  data: Buffer.from(String.fromCodePoint(97 + (index % 26)).repeat(Number(dataBytes))),
}));
const contender = open({ http1: Number(http1), http2: Number(http2) });

async function round(): Promise<Round> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await contender.run(inputs, Number(times));
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - startedAt) / 1e3 };
}

if (process.send === undefined) {
  for (let count = 0; count < 4; count++) console.log(await round());
  await contender.close();
} else {
  process.on("message", () => void round().then((taken) => process.send?.(taken)));
  process.on("disconnect", () => process.exit());
}
