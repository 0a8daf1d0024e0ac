/**
 * Driver. The flows that run, and how another configuration takes their place: flows that it does not change are not
 * touched, others are drained and begin anew from their saved positions.
 */
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describeError } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import { imprintOf } from "./config/changes.ts";
import { flowIdOf } from "./config/flow-id.ts";
import { flowSettings } from "./config/flow-settings.ts";
import type { AgentConfig, FlowConfig } from "./config/schema.ts";
import type { Destination } from "./destination.ts";
import type { AgentEvent } from "./events.ts";
import { ByteBudget } from "./flow/byte-budget.ts";
import { Flow } from "./flow/flow.ts";
import type { PositionStore } from "./flow/positions.ts";
import { AwsClients } from "./io/aws-clients.ts";
import { DeadLetterFile } from "./io/dead-letter-file.ts";
import { realFileSystem } from "./io/file-system.ts";
import { createFirehoseDestination } from "./io/firehose-adapter.ts";
import { InstanceMetadata } from "./io/instance-metadata.ts";
import { checkpointsOf } from "./io/kinesis-agent-checkpoints.ts";
import { createStreamDestination } from "./io/stream-destination.ts";
import type { AgentOptions, AgentWiring } from "./options.ts";

export interface FlowSetOptions {
  readonly options: AgentOptions;
  readonly wiring: AgentWiring;
  readonly system: System;
  readonly store: PositionStore;
  readonly publish: (event: AgentEvent) => void;
}

interface RunningFlow {
  readonly id: string;
  /** What it was made from. */
  readonly imprint: string;
  readonly flow: Flow;
  readonly budget: ByteBudget;
  readonly destination: Destination;
  readonly deadLetters: DeadLetterFile;
  readonly clients: AwsClients;
}

/** How many flows a configuration left alone, began, began anew, and ended. */
export interface FlowChanges {
  readonly unchanged: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Flows by their ids, in the order of the configuration. */
export class FlowSet {
  readonly #options: FlowSetOptions;
  readonly #instance: InstanceMetadata;
  #running = new Map<string, RunningFlow>();

  constructor(options: FlowSetOptions) {
    this.#options = options;
    this.#instance = new InstanceMetadata(options.system, (error) =>
      options.publish({ type: "instance-metadata-missing", error }),
    );
  }

  /** The flows that run. */
  get flows(): readonly Flow[] {
    return [...this.#running.values()].map(({ flow }) => flow);
  }

  /**
   * Makes the flows of `config` the ones that run. Flows that go are given until `limit` aborts to have stored what they
   * read. Nothing changes when it throws before the first of them was stopped: for options that a destination refuses.
   */
  async apply(config: AgentConfig, limit: AbortSignal): Promise<FlowChanges> {
    const { kept, made } = this.#plan(config);
    const gone = [...this.#running.values()].filter(({ id }) => !kept.has(id));
    await Promise.all(gone.map((running) => closeFlow(running, limit)));
    this.#run(config, new Map([...kept, ...made]));
    for (const { flow } of made.values()) this.#startLate(flow);
    const clients = new Set([...this.#running.values()].map((running) => running.clients));
    for (const running of gone) if (!clients.has(running.clients)) running.clients.destroy();
    const changed = gone.filter(({ id }) => made.has(id)).length;
    return { unchanged: kept.size, changed, added: made.size - changed, removed: gone.length - changed };
  }

  /** The flows of the first configuration, before any runs. */
  start(config: AgentConfig): void {
    const { made } = this.#plan(config);
    this.#run(config, made);
    for (const { flow } of made.values()) flow.start();
  }

  /** Ends every flow. */
  async close(limit: AbortSignal): Promise<void> {
    const running = [...this.#running.values()];
    await Promise.all(running.map((each) => closeFlow(each, limit)));
    for (const { clients } of running) clients.destroy();
  }

  /** Which flows stay, and those that have to begin: made, so that what is wrong with them shows, and not started. */
  #plan(config: AgentConfig): {
    readonly kept: ReadonlyMap<string, RunningFlow>;
    readonly made: ReadonlyMap<string, RunningFlow>;
  } {
    const kept = new Map<string, RunningFlow>();
    const made = new Map<string, RunningFlow>();
    const clients = new AwsClients(config);
    try {
      for (const [index, flow] of config.flows.entries()) {
        const id = flowIdOf(flow);
        const running = this.#running.get(id);
        if (running?.imprint === imprintOf(flow, config)) kept.set(id, running);
        else made.set(id, this.#make(flow, config, { clients, path: `flows[${index}]` }));
      }
    } catch (error) {
      clients.destroy();
      throw error;
    }
    return { kept, made };
  }

  #run(config: AgentConfig, all: ReadonlyMap<string, RunningFlow>): void {
    const ordered = config.flows.flatMap((flow) => all.get(flowIdOf(flow)) ?? []);
    this.#running = new Map(ordered.map((running) => [running.id, running]));
    for (const { budget } of ordered) budget.resize(shareOf(config));
  }

  /** The flows before it have stopped by now: one whose positions cannot be read must not take the others with it. */
  #startLate(flow: Flow): void {
    try {
      flow.start();
    } catch (error) {
      this.#options.publish({ type: "flow-failed", flow: flow.id, error: describeError(error) });
    }
  }

  #make(
    config: FlowConfig,
    agent: AgentConfig,
    of: { readonly clients: AwsClients; readonly path: string },
  ): RunningFlow {
    const { options, publish, store, system, wiring } = this.#options;
    const settings = flowSettings(config, agent, of.path);
    const beside = dirname(options.positionsPath ?? agent.positionsFile);
    const directory = agent.deadLetterDirectory ?? join(beside, "dead-letters");
    const deadLetters = new DeadLetterFile(directory, settings.id, system);
    const destination = this.#createDestination(config, agent, of.clients);
    const budget = new ByteBudget(shareOf(agent), flushOneAtATime(destination));
    const flow = new Flow({
      settings,
      destination,
      deadLetters,
      store,
      // A simulated host has no other agent's files.
      foreignCheckpoints: () => (wiring.files === undefined ? checkpointsOf(config, agent, system.wallNow()) : []),
      files: wiring.files ?? realFileSystem,
      budget,
      system,
      host: hostname(),
      askInstance: (ttlMs) => this.#instance.get(ttlMs),
      publish,
      onFailed: () => undefined,
    });
    const imprint = imprintOf(config, agent);
    return { id: settings.id, imprint, flow, budget, destination, deadLetters, clients: of.clients };
  }

  #createDestination(flow: FlowConfig, config: AgentConfig, clients: AwsClients): Destination {
    const { options, system, wiring } = this.#options;
    const { createDestination, kinesis } = wiring;
    if (createDestination !== undefined) return createDestination(flow);
    const shared = { flow, config, maxBufferedBytes: shareOf(config) };
    if (flow.deliveryStream !== undefined) {
      const client = options.firehoseClient ?? clients.firehose;
      return createFirehoseDestination({ ...shared, client, system });
    }
    const client = options.client ?? (kinesis === undefined ? clients.kinesis : undefined);
    return createStreamDestination({ ...shared, client, wiring: { kinesis, system: wiring.system } });
  }
}

/** What each flow may hold of the whole. */
function shareOf(config: AgentConfig): number {
  return Math.floor(config.maxBufferedBytes / config.flows.length);
}

async function closeFlow({ flow, destination, deadLetters }: RunningFlow, limit: AbortSignal): Promise<void> {
  await flow.stop(limit);
  await destination.close({ signal: limit }).catch(() => undefined);
  await deadLetters.close();
}

/**
 * Flushes a destination, unless a flush of it is under way: a reader that waits for room while everything held lingers
 * for company would wait for as long as a record may, and a flush for each of its waits would send crumbs.
 */
function flushOneAtATime(destination: Destination): () => void {
  let isFlushing = false;
  return () => {
    if (isFlushing) return;
    isFlushing = true;
    void destination.flush().finally(() => {
      isFlushing = false;
    });
  };
}
