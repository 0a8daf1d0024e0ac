/**
 * Adapter. `millrace simulate`: a Kinesis on this host, until it is stopped.
 */
import { writeFileSync } from "node:fs";
import { ConfigError } from "@millrace/core/options";
import { KinesisSimulator, parseFault, ServiceError } from "@millrace/simulator";
import type { CreateStreamOptions, FaultOptions } from "@millrace/simulator";
import { Command, InvalidArgumentError } from "commander";
import { readCount } from "./command-process.ts";

/** What the command line asks for. */
export interface SimulateOptions {
  readonly port: number;
  readonly host: string;
  readonly tls?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly shards?: number | undefined;
  readonly stream: readonly string[];
  readonly onDemand?: boolean | undefined;
  readonly fault: readonly FaultOptions[];
  readonly limits: boolean;
  readonly checkSignatures?: boolean | undefined;
  readonly memory: number;
  readonly region: string;
  readonly persist?: string | undefined;
  readonly bill?: boolean | undefined;
}

/** What the command needs of its process. */
export interface SimulateProcess {
  /** Ends the command. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The command, for the program to mount. */
export function simulateCommand(): Command {
  return new Command("simulate")
    .description("Run Kinesis Data Streams on this host, with its limits, and with faults on order.")
    .option("-p, --port <port>", "port to listen on; 0 takes a free one", readCount(0), 4567)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--tls", "print the https endpoint (the port answers TLS and plain connections either way)")
    .option("--ca-file <path>", "write the certificate authority there, for NODE_EXTRA_CA_CERTS")
    .option("-s, --stream <name[:shards]>", "create this stream; may be given again", collect<string>, [])
    .option(
      "--shards <count>",
      "shards of streams that name no count (4); without a stream, of one named stream",
      readCount(1),
    )
    .option("--on-demand", "create the streams on-demand")
    .option(
      "-f, --fault <kind[=rate][,name=value]>",
      "order a fault, as in throttle=0.05; may be given again",
      readFault,
      [],
    )
    .option("--no-limits", "switch the service's limits off")
    .option("--check-signatures", "accept only AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment")
    .option("--memory <MiB>", "records that are kept; past it the oldest go", readCount(1), 1024)
    .option("--persist <path>", "keep streams and records in this file over a restart")
    .option("--region <name>", "region in every ARN", "us-east-1")
    .option("--bill", "print at the end what the same would have cost")
    .addHelpText("after", "\nExample:\n  $ millrace simulate --stream clicks:2 --fault throttle=0.05,action=PutRecords")
    .action(async (options: SimulateOptions) => {
      const controller = new AbortController();
      const stop = () => controller.abort();
      process.once("SIGINT", stop).once("SIGTERM", stop);
      try {
        await simulate(options, { signal: controller.signal, print: printLine, env: process.env });
      } catch (error) {
        const exitCode = exitCodeOf(error);
        if (exitCode === undefined) throw error;
        process.stderr.write(`millrace simulate: ${(error as Error).message}\n`);
        process.exitCode = exitCode;
      } finally {
        process.off("SIGINT", stop).off("SIGTERM", stop);
      }
    });
}

/** What a failure that is not a bug ends the process with. Source: sysexits.h, EX_USAGE and EX_TEMPFAIL. */
function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof ConfigError || error instanceof ServiceError) return 64;
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === undefined ? undefined : 75;
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs a simulator until the signal aborts.
 * @throws {ConfigError} for options that cannot be.
 * @throws the system's error when the port cannot be had.
 */
export async function simulate(options: SimulateOptions, { signal, print, env }: SimulateProcess): Promise<void> {
  const simulator = await KinesisSimulator.listen({
    port: options.port,
    host: options.host,
    tls: options.tls === true,
    region: options.region,
    maxStoredBytes: options.memory * 1024 * 1024,
    persistPath: options.persist,
    ...(options.limits ? {} : { limits: false }),
    ...(options.checkSignatures === true ? { accessKeys: [accessKeyOf(env)] } : {}),
  });
  try {
    for (const text of streamsOf(options)) {
      const { streamName, shardCount } = readStream(text, options.shards ?? 4);
      const mode = options.onDemand === true ? ({ streamMode: "ON_DEMAND" } as const) : { shardCount };
      print(`stream    ${createOrKeep(simulator, { streamName, ...mode }, options.persist !== undefined)}`);
    }
    for (const fault of options.fault) simulator.fault(fault);
    if (options.caFile !== undefined) writeFileSync(options.caFile, simulator.caCertificate);
    print(`endpoint  ${simulator.endpoint}`);
    await aborted(signal);
    if (options.bill === true) print(JSON.stringify(simulator.meter.bill()));
  } finally {
    await simulator.close();
  }
}

/** Creates a stream, unless an earlier run left it (`--persist`); gives a line about it. */
function createOrKeep(simulator: KinesisSimulator, stream: CreateStreamOptions, mayBeKept: boolean): string {
  try {
    const { streamArn, shardIds } = simulator.createStream(stream);
    return `${streamArn} (${shardIds.length} shards)`;
  } catch (error) {
    if (mayBeKept && error instanceof ServiceError && error.code === "ResourceInUseException") {
      return `${stream.streamName} (kept)`;
    }
    throw error;
  }
}

/** A number of shards is asked for something to put into. */
function streamsOf({ stream, shards }: SimulateOptions): readonly string[] {
  return stream.length === 0 && shards !== undefined ? ["stream"] : stream;
}

function readStream(text: string, shards: number): { streamName: string; shardCount: number } {
  const [streamName = "", count] = text.split(":");
  const shardCount = count === undefined ? shards : Number(count);
  if (!Number.isSafeInteger(shardCount) || shardCount < 1) {
    throw new ConfigError({ path: "--stream", got: text, expected: "NAME or NAME:SHARDS, as in clicks:4" });
  }
  return { streamName, shardCount };
}

function accessKeyOf(env: SimulateProcess["env"]): { accessKeyId: string; secretAccessKey: string } {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  throw new ConfigError({
    path: "--check-signatures",
    got: undefined,
    expected: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
  });
}

function readFault(text: string, before: readonly FaultOptions[]): readonly FaultOptions[] {
  try {
    return [...before, parseFault(text)];
  } catch (error) {
    if (error instanceof ConfigError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function collect<T>(value: T, before: readonly T[]): readonly T[] {
  return [...before, value];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
