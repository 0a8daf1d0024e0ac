/**
 * Adapter. Starts each Kinesis that the contract is held against.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { KinesisSimulator } from "@millrace/simulator";
import type { RunningService } from "./service-under-test.ts";

const require = createRequire(import.meta.url);

/** The simulator with its default limits, over HTTP like the others. */
export async function startSimulator(): Promise<RunningService> {
  const simulator = await KinesisSimulator.listen({ transitionMs: 0 });
  return { endpoint: simulator.endpoint, close: () => simulator.close() };
}

/** kinesalite 3.3.3 with its store in memory. */
export async function startKinesalite(): Promise<RunningService> {
  const port = await freePort();
  const program = `require("kinesalite")({ createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0, shardLimit: 1000 })
    .listen(${port}, "127.0.0.1")`;
  return await startProcess(["-e", program], {}, port);
}

/** kinesis-local 0.6.2. */
export async function startKinesisLocal(): Promise<RunningService> {
  const folder = dirname(require.resolve("kinesis-local/package.json"));
  const [plainPort, tlsPort] = [await freePort(), await freePort()];
  const actions = [
    "CREATE_STREAM",
    "DELETE_STREAM",
    "REGISTER_STREAM_CONSUMER",
    "DEREGISTER_STREAM_CONSUMER",
    "MERGE_SHARDS",
    "SPLIT_SHARD",
    "UPDATE_SHARD_COUNT",
    "UPDATE_STREAM_MODE",
  ];
  const env = {
    // It looks for its certificate in the working folder and ends where there is none.
    KINESIS_MOCK_CERT_PATH: join(folder, "server.json"),
    KINESIS_MOCK_PLAIN_PORT: String(plainPort),
    KINESIS_MOCK_TLS_PORT: String(tlsPort),
    SHARD_LIMIT: "1000",
    LOG_LEVEL: "ERROR",
    ...Object.fromEntries(actions.map((action) => [`${action}_DURATION`, "1ms"])),
  };
  return await startProcess([join(folder, "main.js")], env, plainPort);
}

/** The simulator in a process of its own, without limits: for measuring what it can do. */
export async function startSimulatorProcess(): Promise<RunningService> {
  const port = await freePort();
  const program = `import { KinesisSimulator } from "@millrace/simulator";
    await KinesisSimulator.listen({ port: ${port}, transitionMs: 0, limits: false, maxStoredBytes: 268435456 });`;
  return await startProcess(["--input-type=module", "-e", program], {}, port);
}

async function startProcess(
  args: readonly string[],
  env: Record<string, string>,
  port: number,
): Promise<RunningService> {
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const close = async () => {
    // Neither holds anything worth an orderly end, and one of them takes seconds for it.
    child.kill("SIGKILL");
    await ended;
  };
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) throw new Error(`${args.join(" ")} ended with ${child.exitCode}`);
    if (await answers(port)) return { endpoint: `http://127.0.0.1:${port}`, pid: child.pid, close };
    await pause(25);
  }
  await close();
  throw new Error(`${args.join(" ")} did not open port ${port} within 10 s`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** A port that was free a moment ago: these programs cannot pick one themselves. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
