/** Adapter. What the consumer's lane is held against: KCL's workers, and a DynamoDB that is neither ours nor dynalite. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LineProcess } from "../support/line-process.ts";
import { compileJava, exchangeLines, fetchJava, fetchPython } from "../support/peers.ts";

const kclArtifacts = {
  whole: ["software.amazon.kinesis:amazon-kinesis-client:3.5.1", "org.slf4j:slf4j-simple:2.0.13"],
};
const kplArtifacts = { whole: ["software.amazon.kinesis:amazon-kinesis-producer:1.0.7"] };
const motoPackages = ["moto[dynamodb,server]==5.2.5"];

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Fetches the KCL and compiles our worker on it. Resolves with the class path. */
export async function fetchKcl(folder: string): Promise<string> {
  const classPath = await fetchJava(folder, kclArtifacts);
  return compileJava(folder, classPath, here("KclWorker.java"));
}

/** Fetches the KPL, whose versions of what both need are its own. Resolves with the class path. */
export function fetchKpl(folder: string): Promise<string> {
  return fetchJava(join(folder, "kpl"), kplArtifacts);
}

/** Writes records with the KPL's daemon: the first alone, for it aggregates nothing while it knows of no shards. */
export async function writeWithKpl(kplClassPath: string, port: string, stream: string, texts: readonly string[]) {
  const lines = texts.map((text) => `${encode("key")}\t\t${encode(text)}`);
  lines.splice(1, 0, "flush");
  lines.push("flush");
  const shardIds = await exchangeLines(
    "java",
    ["-cp", kplClassPath, here("../producer/KplWriter.java"), port, stream],
    lines,
  );
  if (shardIds.length !== texts.length) throw new Error(`the KPL stored ${shardIds.length} of ${texts.length}`);
}

const encode = (text: string) => Buffer.from(text).toString("base64");

/** A DynamoDB of moto's in a process of its own. */
export interface Moto {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Fetches moto. Resolves with the path of a Python that has it. */
export function fetchMoto(folder: string): Promise<string> {
  return fetchPython(folder, motoPackages);
}

/** Starts moto, with no tables in it. */
export async function startMoto(python: string): Promise<Moto> {
  const ports: string[] = [];
  const server = new LineProcess(python, [here("serve-dynamodb.py")], { onLine: (line) => ports.push(line) });
  while (ports.length === 0) {
    if (server.isClosed) throw new Error(`moto did not start:\n${server.errors}`);
    await pause(100);
  }
  const endpoint = `http://127.0.0.1:${ports[0]}`;
  return { endpoint, stop: () => server.kill() };
}
