/**
 * Driver. What a run of the consumer reaches the world through: made from the options, or put in its place by a test.
 */
import { createKinesisClient, kinesisFromClient } from "@millrace/core/aws";
import type { KinesisPort } from "@millrace/core/kinesis";
import type { EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "./events.ts";
import { detectCpuSource, hostSource } from "./io/cpu-sources.ts";
import { createDynamoDbTables } from "./io/dynamodb-tables.ts";
import { createFanOutClient, fanOutFromClient } from "./io/fan-out-client.ts";
import { countingEvents, KclMetrics } from "./kcl-metrics.ts";
import type { CpuSource } from "./leases/cpu-usage.ts";
import { joinFleet, type FleetTables } from "./leases/fleet-tables.ts";
import type { LeaseTable } from "./leases/lease-table.ts";
import { limitedTable } from "./leases/limited-table.ts";
import { meteredTable } from "./leases/metered-table.ts";
import type { ResolvedConsumerOptions } from "./resolve-options.ts";
import type { FanOutPort } from "./retrieval/fan-out-port.ts";
import { meteredKinesis } from "./retrieval-metrics.ts";
import type { ConsumedStream } from "./shards/consumed-stream.ts";
import { identifyStreams } from "./shards/identify-streams.ts";

/** @internal What tests and the simulation put in the platform's place. */
export interface ConsumerWiring {
  readonly kinesis?: KinesisPort | undefined;
  readonly fanOut?: FanOutPort | undefined;
  readonly system?: System | undefined;
  readonly cpu?: CpuSource | undefined;
}

/** The ports of one run. */
export class ConsumerPorts {
  readonly kinesis: KinesisPort;
  /** KCL's metrics over the user's port. */
  readonly metrics: KclMetrics | undefined;
  /** What is published here counts in the metrics too. */
  readonly events: EventPublisher<ConsumerEvent>;
  readonly #options: ResolvedConsumerOptions;
  readonly #wiring: ConsumerWiring;
  readonly #system: System;
  readonly #workerId: string;

  constructor(
    options: ResolvedConsumerOptions,
    wiring: ConsumerWiring,
    system: System,
    events: EventPublisher<ConsumerEvent>,
    workerId: string,
  ) {
    const { client, wireFormat, metrics, metricsLevel: level, isMultiStream } = options;
    this.metrics = metrics === undefined ? undefined : new KclMetrics(metrics, { workerId, level, isMultiStream });
    const kinesis = wiring.kinesis ?? kinesisFromClient(client ?? createKinesisClient(), { wireFormat });
    this.kinesis = this.metrics === undefined ? kinesis : meteredKinesis(kinesis, this.metrics, system);
    this.events = this.metrics === undefined ? events : countingEvents(events, this.metrics);
    this.#options = options;
    this.#wiring = wiring;
    this.#system = system;
    this.#workerId = workerId;
  }

  /** For SubscribeToShard; made only where it is needed. */
  fanOut(): FanOutPort {
    const { client, fanOutClient } = this.#options;
    return this.#wiring.fanOut ?? fanOutFromClient(fanOutClient ?? createFanOutClient(client));
  }

  /** The streams with their creation times, where several are read. */
  identifyStreams(signal: AbortSignal): Promise<readonly ConsumedStream[]> {
    const { streams, isMultiStream } = this.#options;
    if (!isMultiStream) return Promise.resolve(streams);
    return identifyStreams({ kinesis: this.kinesis, system: this.#system, events: this.events, signal }, streams);
  }

  /** The fleet's tables: the application's own, or KCL's in DynamoDB with the older ones beside it. */
  joinFleet(signal: AbortSignal): Promise<FleetTables> {
    const { leaseTable, dynamodb, takeOverFrom2x, migrateTables } = this.#options;
    const system = this.#system;
    const common = { workerId: this.#workerId, system, events: this.events, takeOverFrom2x, migrateTables };
    if (leaseTable !== undefined) {
      return joinFleet({ ...common, leases: this.#guarded(leaseTable), legacy: undefined }, signal);
    }
    const { leases, legacy } = createDynamoDbTables(this.#options, dynamodb, system);
    const guardedLegacy = { coordinator: this.#guarded(legacy.coordinator), metrics: this.#guarded(legacy.metrics) };
    return joinFleet({ ...common, leases: this.#guarded(leases), legacy: guardedLegacy }, signal);
  }

  #guarded(table: LeaseTable): LeaseTable {
    const limited = limitedTable(table, this.#system);
    return this.metrics === undefined ? limited : meteredTable(limited, this.metrics, this.#system);
  }

  /** A system of its own has no processors: under virtual time a run must not depend on the host. */
  async findCpuSource(): Promise<CpuSource | undefined> {
    const { cpu, system } = this.#wiring;
    const { workerMetrics } = this.#options;
    if (workerMetrics === "none") return undefined;
    if (cpu !== undefined || system !== undefined) return cpu;
    const platform = { system: this.#system, environment: process.env, root: "/" };
    return workerMetrics === "host" ? hostSource(platform, "host") : detectCpuSource(platform);
  }
}
