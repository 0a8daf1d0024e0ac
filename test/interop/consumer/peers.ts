/** Adapter. What the consumer's lane is held against: KCL's workers, and a DynamoDB that is neither ours nor dynalite. */
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LineProcess } from "../support/line-process.ts";
import { compileJava, fetchJava, fetchPython } from "../support/peers.ts";

const kclArtifacts = {
  whole: ["software.amazon.kinesis:amazon-kinesis-client:3.5.1", "org.slf4j:slf4j-simple:2.0.13"],
};
const motoPackages = ["moto[dynamodb,server]==5.2.5"];

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Fetches the KCL and compiles our worker on it. Resolves with the class path. */
export async function fetchKcl(folder: string): Promise<string> {
  const classPath = await fetchJava(folder, kclArtifacts);
  return compileJava(folder, classPath, here("KclWorker.java"));
}

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
