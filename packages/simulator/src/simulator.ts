/**
 * Driver. The simulator as its users hold it: a Kinesis in process, with its clock, its meter and its levers.
 */
import { ConfigError } from "@millrace/core/options";
import type { KinesisClient, KinesisClientConfig } from "@aws-sdk/client-kinesis";
import type { KinesisPort } from "@millrace/core/kinesis";
import { realSystem, type System } from "@millrace/core/runtime";
import { planMerge, planSplit } from "./actions/resharding.ts";
import { createStream } from "./actions/streams.ts";
import { inputs } from "./actions/inputs.ts";
import { BillingMeter } from "./billing.ts";
import type { Fault, FaultOptions } from "./faults/fault.ts";
import { FaultBook } from "./faults/fault-book.ts";
import { InProcessKinesis } from "./in-process.ts";
import { KinesisService } from "./kinesis-service.ts";
import { Persistence } from "./persistence.ts";
import { resolveSimulatorOptions, type SimulatorOptions } from "./options.ts";
import { reshardUniformly } from "./reshard.ts";
import { ServiceClock, type SimulatorClock } from "./service-clock.ts";
import { ServiceState } from "./service-state.ts";
import { createSimulatorClient } from "./server/client.ts";
import { serverOptionNames, type ServerOptions } from "./server/server-options.ts";
import { startServer, type WireServer } from "./server/start-server.ts";
import { checkInput } from "./shapes/check-input.ts";
import type { RecordDistributionStrategy, StreamMode } from "./stream.ts";
import { TokenSeal } from "./tokens.ts";

/** A stream to create. */
export interface CreateStreamOptions {
  /** 1 to 128 letters, digits, '_', '.' or '-'. */
  readonly streamName: string;
  /** 1 or more; ignored for on-demand streams, which begin with 4. @default 1 */
  readonly shardCount?: number | undefined;
  /** @default "PROVISIONED" */
  readonly streamMode?: StreamMode | undefined;
  /** 1,024 to 10,240. @default 1024 */
  readonly maxRecordSizeKiB?: number | undefined;
  /** @default "USER_PARTITION_KEY" */
  readonly recordDistributionStrategy?: RecordDistributionStrategy | undefined;
}

/** A stream that was created. */
export interface CreatedStream {
  readonly streamName: string;
  readonly streamArn: string;
  readonly shardIds: readonly string[];
}

/** What to reshard: exactly one of `split`, `merge` and `targetShardCount`. */
export interface ReshardOptions {
  /** An existing stream. */
  readonly streamName: string;
  /** Shard to split. */
  readonly split?: string | undefined;
  /** Where the second half of a split begins, decimal. @default the middle */
  readonly newStartingHashKey?: string | bigint | undefined;
  /** Two neighbours to merge; the first becomes the parent, the second the adjacent parent. */
  readonly merge?: readonly [string, string] | undefined;
  /** Open shards to have, in equal parts; 1 or more. @default none: `split` or `merge` says what to do */
  readonly targetShardCount?: number | undefined;
}

/** What resharding did: the shards that it closed and those that are open since. */
export interface Resharding {
  readonly closed: readonly string[];
  readonly opened: readonly string[];
}

/** A simulator's options and its server's. */
export interface ListenOptions extends SimulatorOptions, ServerOptions {}

/**
 * Amazon Kinesis Data Streams in this process.
 *
 * With `new` nothing is listened on: `kinesis` is the service behind a port. `listen` starts a server too, which any
 * `KinesisClient` can talk to.
 */
export class KinesisSimulator implements AsyncDisposable {
  /** The service behind the interface that the producer and the consumer take; usable at once. */
  readonly kinesis: KinesisPort;
  /** The service's time. */
  readonly clock: SimulatorClock;
  /** What was done and what it would cost. */
  readonly meter: BillingMeter;
  /** The service by its wire names. @internal */
  readonly service: KinesisService;
  readonly #state: ServiceState;
  readonly #clock: ServiceClock;
  readonly #faults: FaultBook;
  readonly #persistence?: Persistence;
  #server: WireServer | undefined;

  /**
   * A simulator with a server on this host, on a free port unless `port` names one.
   * @throws {ConfigError} for an option that cannot be.
   * @throws the system's error when the port cannot be had.
   */
  static async listen(options: ListenOptions = {}): Promise<KinesisSimulator> {
    const simulator = new KinesisSimulator(options);
    const clock = simulator.#clock;
    const time = { wallNow: () => clock.wallMs(), uuid: () => clock.uuid() };
    try {
      simulator.#server = await startServer(simulator.service, options, time);
    } catch (error) {
      await simulator.close();
      throw error;
    }
    return simulator;
  }

  /** @throws {ConfigError} for an option that cannot be. The options of a server are left to `listen`. */
  constructor(options: SimulatorOptions = {}) {
    const resolved = resolveSimulatorOptions(options, serverOptionNames);
    const system: System = options.system ?? realSystem;
    this.#clock = new ServiceClock(system);
    this.clock = this.#clock;
    if (resolved.persistPath !== undefined) this.#persistence = new Persistence(resolved.persistPath, system);
    this.meter = new BillingMeter(() => this.#clock.steadyMs(), options.prices);
    this.#state = new ServiceState({
      ...resolved,
      clock: this.#clock,
      meter: this.meter,
      seal: new TokenSeal(this.#persistence?.secret ?? system.uuid(), this.#persistence?.run),
    });
    this.#persistence?.attach(this.#state);
    this.#faults = new FaultBook(this.#state);
    this.service = new KinesisService(this.#state, this.#faults);
    this.kinesis = new InProcessKinesis(this.service, () => this.#clock.wallMs());
  }

  /** Where clients find it: `http://127.0.0.1:41234`. @throws when it does not listen. */
  get endpoint(): string {
    return this.#listening().endpoint;
  }

  /** The same port by TLS. @throws when it does not listen. */
  get tlsEndpoint(): string {
    return this.#listening().tlsEndpoint;
  }

  /**
   * The certificate authority of `tlsEndpoint`, PEM: for NODE_EXTRA_CA_CERTS, or the `ca` of an https agent.
   * @throws when it does not listen.
   */
  get caCertificate(): string {
    return this.#listening().caCertificate;
  }

  /**
   * A client of this simulator over HTTP/1.1 with connections kept open, region us-east-1 and credentials of no
   * meaning; `config` overrides. The caller destroys it.
   * @throws when it does not listen.
   */
  client(config: KinesisClientConfig = {}): KinesisClient {
    return createSimulatorClient(this.#listening(), config);
  }

  /**
   * Creates a stream that is ACTIVE at once.
   * @throws {ServiceError} as CreateStream does.
   */
  createStream(options: CreateStreamOptions): CreatedStream {
    const { streamName, streamMode = "PROVISIONED" } = options;
    const input = {
      StreamName: streamName,
      StreamModeDetails: { StreamMode: streamMode },
      ...(streamMode === "ON_DEMAND" ? {} : { ShardCount: options.shardCount ?? 1 }),
      MaxRecordSizeInKiB: options.maxRecordSizeKiB,
      RecordDistributionStrategy: options.recordDistributionStrategy,
    };
    checkInput(inputs.CreateStream, input);
    createStream(this.#state, input);
    const stream = this.#state.stream({ StreamName: streamName });
    stream.status = "ACTIVE";
    this.#state.updateRent(stream);
    return { streamName, streamArn: stream.streamArn, shardIds: stream.openShards.map((shard) => shard.shardId) };
  }

  /**
   * Splits, merges or reshards a stream at once.
   * @throws {ServiceError} as SplitShard and MergeShards do.
   */
  reshard(options: ReshardOptions): Resharding {
    const stream = this.#state.stream({ StreamName: options.streamName });
    const before = new Set(stream.openShards);
    const moment = this.#state.moment();
    const { split, merge, targetShardCount } = options;
    if ([split, merge, targetShardCount].filter((choice) => choice !== undefined).length !== 1) {
      throw new ConfigError({
        path: "reshard",
        got: options,
        expected: "exactly one of split, merge and targetShardCount",
      });
    }
    if (split !== undefined) {
      const whole = stream.findShard(split);
      const middle = whole === undefined ? 0n : (whole.startingHashKey + whole.endingHashKey) / 2n + 1n;
      const plan = planSplit(this.#state, stream, split, String(options.newStartingHashKey ?? middle));
      stream.split(plan.shard, plan.bound, moment);
    } else if (merge === undefined) {
      reshardUniformly(stream, targetShardCount ?? 1, moment);
    } else {
      const plan = planMerge(this.#state, stream, merge[0], merge[1]);
      stream.merge(plan.shard, plan.adjacent, moment);
    }
    this.#state.updateRent(stream);
    const after = new Set(stream.openShards);
    return {
      closed: [...before].filter((shard) => !after.has(shard)).map((shard) => shard.shardId),
      opened: [...after].filter((shard) => !before.has(shard)).map((shard) => shard.shardId),
    };
  }

  /**
   * Orders a fault: what goes wrong, for which calls, how often. Several stand side by side.
   * @returns the fault, to count its strikes and to stop it.
   * @throws {ConfigError} for an order that cannot be.
   */
  fault(options: FaultOptions): Fault {
    return this.#faults.add(options);
  }

  /** Ends every fault; what hangs breaks off. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /**
   * Ends connections, timers and subscriptions, and saves; idempotent. What is stored can still be read in process.
   * @throws the system's error when `persistPath` cannot be written.
   */
  async close(): Promise<void> {
    this.#faults.clear();
    // Each takes itself out of the map as it ends.
    for (const subscription of this.#state.subscriptions.values()) await subscription.return();
    this.#clock.close();
    await this.#server?.close();
    this.#persistence?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #listening(): WireServer {
    if (this.#server === undefined)
      throw new Error("This simulator has no server: make it with KinesisSimulator.listen().");
    return this.#server;
  }
}
