/**
 * Driver. What the producer's tests share: a stream in the simulator, a way to make its calls fail, a reader.
 */
import zlib from "node:zlib";
import { deaggregate, userRecordHash, type UserRecordView } from "@millrace/aggregation";
import {
  KinesisError,
  type Answer,
  type GetRecordsResponse,
  type KinesisPort,
  type Shard,
} from "@millrace/core/kinesis";
import { KinesisSimulator, type CreateStreamOptions, type SimulatorOptions } from "@millrace/simulator";
import type { Compress } from "../compressor.ts";
import { Producer, type ProducerWiring } from "../producer.ts";
import type { ProducerEvent } from "../events.ts";
import type { ProducerOptions } from "../options.ts";
import { CountedSystem, ManualSystem } from "./manual-system.ts";

export const streamName = "clicks";

type Method = keyof KinesisPort;
type Intercept = (request: never, forward: () => Promise<Answer<never>>) => Promise<Answer<unknown>>;

/** The simulator's port with a hook before each action, and a list of what was called. */
export class HookedPort implements KinesisPort {
  readonly calls: Method[] = [];
  readonly #port: KinesisPort;
  readonly #hooks = new Map<Method, Intercept>();

  constructor(port: KinesisPort) {
    this.#port = port;
  }

  /** Replaces what an action answers; `forward` asks the service. */
  on<M extends Method>(
    method: M,
    intercept: (
      request: Parameters<KinesisPort[M]>[0],
      forward: () => ReturnType<KinesisPort[M]>,
    ) => ReturnType<KinesisPort[M]>,
  ): void {
    this.#hooks.set(method, intercept as unknown as Intercept);
  }

  off(method: Method): void {
    this.#hooks.delete(method);
  }

  putRecords: KinesisPort["putRecords"] = (request, options) =>
    this.#call("putRecords", request, () => this.#port.putRecords(request, options));
  getShardIterator: KinesisPort["getShardIterator"] = (request, options) =>
    this.#call("getShardIterator", request, () => this.#port.getShardIterator(request, options));
  getRecords: KinesisPort["getRecords"] = (request, options) =>
    this.#call("getRecords", request, () => this.#port.getRecords(request, options));
  listShards: KinesisPort["listShards"] = (request, options) =>
    this.#call("listShards", request, () => this.#port.listShards(request, options));
  describeStreamSummary: KinesisPort["describeStreamSummary"] = (request, options) =>
    this.#call("describeStreamSummary", request, () => this.#port.describeStreamSummary(request, options));

  #call<T>(method: Method, request: unknown, forward: () => Promise<Answer<T>>): Promise<Answer<T>> {
    this.calls.push(method);
    const hook = this.#hooks.get(method);
    if (hook === undefined) return forward();
    return hook(request as never, forward as () => Promise<Answer<never>>) as Promise<Answer<T>>;
  }
}

/** A failed call. */
export function refusal<T>(code: string, kind: "throttle" | "transient" | "permanent", httpStatus = 400): Answer<T> {
  const mayHaveTakenEffect = kind === "transient";
  return {
    ok: false,
    error: new KinesisError({ code, message: `${code} (test)`, kind, httpStatus, mayHaveTakenEffect }),
  };
}

/** Compresses at once, so that compression takes no time that the test does not own. */
export const compressNow: Compress = (bytes, algorithm) =>
  Promise.resolve(algorithm === "gzip" ? zlib.gzipSync(bytes) : zlib.zstdCompressSync(bytes));

export interface WorldOptions {
  readonly stream?: Partial<CreateStreamOptions>;
  readonly simulator?: Omit<SimulatorOptions, "system">;
}

/** A simulated stream under a clock that the test moves. */
export class World {
  readonly system = new ManualSystem();
  /** The producers' view of the time. */
  readonly producerSystem = new CountedSystem(this.system);
  readonly simulator: KinesisSimulator;
  readonly port: HookedPort;
  readonly events: ProducerEvent[] = [];
  compress: Compress = compressNow;

  constructor(options: WorldOptions = {}) {
    this.simulator = new KinesisSimulator({ ...options.simulator, system: this.system });
    this.simulator.createStream({ streamName, ...options.stream });
    this.port = new HookedPort(this.simulator.kinesis);
  }

  get wiring(): ProducerWiring {
    return { kinesis: this.port, system: this.producerSystem, compress: this.compress };
  }

  producer(options: Partial<ProducerOptions> = {}): Producer {
    return new Producer({ streamName, onEvent: (event) => this.events.push(event), ...options }, this.wiring);
  }

  eventsOf<T extends ProducerEvent["type"]>(type: T): Extract<ProducerEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ProducerEvent, { type: T }> => event.type === type);
  }

  /** Lets time pass until the promise settles. */
  async until<T>(promise: Promise<T>, stepMs = 10, maxMs = 120_000): Promise<T> {
    const state = { isSettled: false };
    const settled = promise.finally(() => (state.isSettled = true));
    settled.catch(() => {});
    await this.system.settle();
    for (let passed = 0; !state.isSettled && passed < maxMs; passed += stepMs) await this.system.advance(stepMs);
    if (!state.isSettled) throw new Error(`The promise did not settle within ${maxMs} ms of the test's time.`);
    return promise;
  }

  /** Every user record in the stream, read as the KCL does: an aggregate with a member out of range is dropped. */
  async readBack(): Promise<ReadRecord[]> {
    const { kinesis } = this.simulator;
    const listed = await unwrap(kinesis.listShards({ streamName }));
    const read: ReadRecord[] = [];
    for (const shard of listed.shards) read.push(...(await this.#readShard(shard)));
    return read;
  }

  async #readShard(shard: Shard): Promise<ReadRecord[]> {
    const { kinesis } = this.simulator;
    const read: ReadRecord[] = [];
    const position = { type: "TRIM_HORIZON" } as const;
    const first = await unwrap(kinesis.getShardIterator({ streamName, shardId: shard.shardId, position }));
    let shardIterator: string | undefined = first.shardIterator;
    while (shardIterator !== undefined) {
      const page: GetRecordsResponse = await unwrap(kinesis.getRecords({ shardIterator }));
      for (const record of page.records) {
        const views = deaggregate(record);
        const isDropped = views.some((view) => view.aggregated && !isInRange(view, shard));
        read.push(
          ...views.map((view) => ({
            view,
            shardId: shard.shardId,
            isDropped,
            text: Buffer.from(view.data).toString(),
          })),
        );
      }
      if (page.records.length === 0 && page.millisBehindLatest === 0) break;
      shardIterator = page.nextShardIterator;
      await this.system.advance(1_000);
    }
    return read;
  }
}

export interface ReadRecord {
  readonly view: UserRecordView;
  readonly text: string;
  readonly shardId: string;
  /** True when a reader that checks hash ranges drops it. */
  readonly isDropped: boolean;
}

function isInRange(view: UserRecordView, shard: Shard): boolean {
  const hashKey = userRecordHash({ partitionKey: view.partitionKey ?? "", explicitHashKey: view.explicitHashKey });
  return shard.startingHashKey <= hashKey && hashKey <= shard.endingHashKey;
}

export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const settled = await answer;
  if (!settled.ok) throw settled.error;
  return settled.value;
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Something to wait for until the test opens it. */
export function createGate(): { readonly opened: Promise<void>; open(): void } {
  const abort = new AbortController();
  const opened = new Promise<void>((resolve) => abort.signal.addEventListener("abort", () => resolve()));
  return { opened, open: () => abort.abort() };
}

/** Records with keys and texts of their own. */
export function records(count: number, prefix = "record"): { partitionKey: string; data: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    partitionKey: `key-${index % 97}`,
    data: `${prefix}-${index}`,
  }));
}
