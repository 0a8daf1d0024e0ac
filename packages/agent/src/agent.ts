/**
 * Driver. The agent: its flows, the positions they share, and the bound on its memory.
 */
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { createEventPublisher, type EventPublisher } from "@millrace/core/observe";
import { checkOptionNames, ConfigError } from "@millrace/core/options";
import { realSystem, type System, type Timer } from "@millrace/core/runtime";
import { flowSettings } from "./config/flow-settings.ts";
import { parseConfig } from "./config/parse.ts";
import type { ConfigWarning } from "./config/warnings.ts";
import type { AgentConfig, FlowConfig } from "./config/schema.ts";
import type { Destination } from "./destination.ts";
import type { AgentEvent } from "./events.ts";
import { ByteBudget } from "./flow/byte-budget.ts";
import { Flow } from "./flow/flow.ts";
import type { PositionStore } from "./flow/positions.ts";
import { DeadLetterFile } from "./io/dead-letter-file.ts";
import { realFileSystem } from "./io/file-system.ts";
import { openPositionStore } from "./io/position-store.ts";
import type { AgentOptions, AgentWiring, FlowStatus } from "./options.ts";
import { AwsClients } from "./io/aws-clients.ts";
import { createFirehoseDestination } from "./io/firehose-adapter.ts";
import { createStreamDestination } from "./io/stream-destination.ts";

interface RunningFlow {
  readonly flow: Flow;
  readonly destination: Destination;
  readonly deadLetters: DeadLetterFile;
}

/**
 * Tails files into streams. `start` reads until `close` or `drain`.
 *
 * @example
 * const agent = new Agent({
 *   flows: [{ filePattern: "/var/log/app/*.log", kinesisStream: "clicks" }],
 *   positionsPath: "/var/lib/app/positions.db",
 * });
 * agent.start();
 */
export class Agent implements AsyncDisposable {
  readonly #config: AgentConfig;
  readonly #warnings: readonly ConfigWarning[];
  readonly #options: AgentOptions;
  readonly #wiring: AgentWiring;
  readonly #system: System;
  readonly #events: EventPublisher<AgentEvent>;
  readonly #flows: RunningFlow[] = [];
  readonly #clients: AwsClients;
  #store: PositionStore | undefined;
  #progressTimer: Timer | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Checks the options; no file is touched before `start`.
   * @throws {ConfigError} for an option or a key of the configuration that is unknown, missing or of a wrong value.
   */
  constructor(options: AgentOptions, /** @internal */ wiring: AgentWiring = {}) {
    checkOptionNames("options", options, ["config", "flows", "client", "firehoseClient", "positionsPath", "onEvent"]);
    const { config, flows } = options;
    if ((config === undefined) === (flows === undefined)) {
      throw new ConfigError({
        path: "config",
        got: config,
        expected: "one of config and flows",
        hint: "config is the content of an agent.json; flows is its list of flows alone.",
      });
    }
    const parsed = parseConfig(config ?? { flows });
    this.#config = parsed.config;
    this.#warnings = parsed.warnings;
    for (const [index, flow] of this.#config.flows.entries()) flowSettings(flow, this.#config, `flows[${index}]`);
    this.#options = options;
    this.#wiring = wiring;
    this.#clients = new AwsClients(parsed.config);
    this.#system = wiring.system ?? realSystem;
    this.#events = createEventPublisher("millrace:agent", options.onEvent);
  }

  /**
   * Opens the positions and begins to read.
   * @throws {PositionsUnavailableError} when another agent uses the positions file, or it cannot be opened.
   * @throws {PositionsUnreadableError} when the positions file is damaged.
   */
  start(): void {
    if (this.#store !== undefined) throw new Error("the agent has been started already");
    const { positionsFile } = this.#config;
    this.#store = this.#wiring.store ?? openPositionStore(this.#options.positionsPath ?? positionsFile);
    for (const { path, text } of this.#warnings) this.#events.publish({ type: "config-warning", path, text });
    try {
      for (const [index, flow] of this.#config.flows.entries()) this.#startFlow(flow, index);
    } catch (error) {
      void this.close();
      throw error;
    }
    this.#planProgress();
  }

  /** Every flow as it stands. */
  status(): readonly FlowStatus[] {
    return this.#flows.map(({ flow }) => ({
      flow: flow.id,
      counters: { ...flow.counters },
      unsettledRecords: flow.unsettledRecords,
      trouble: flow.trouble,
      stuckMs: Number.isFinite(flow.stuckMs) ? flow.stuckMs : null,
      files: flow.files,
    }));
  }

  /** Resolves once every whole line that the files hold now is stored and its position is saved. */
  async catchUp(): Promise<void> {
    await Promise.all(this.#flows.map(({ flow }) => flow.catchUp()));
  }

  /**
   * Reads every file to its end, last lines without a newline too, and closes once everything is stored and its
   * positions are saved. A file that fails to be read five times in a row is left, with the event `file-unreadable`, for
   * the next start. Waits for as long as the destination takes; `signal` ends the wait, and the agent closes.
   */
  async drain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options;
    const drained = Promise.all(this.#flows.map(({ flow }) => flow.drain()));
    try {
      await (signal === undefined ? drained : Promise.race([drained, rejectedWhenAborted(signal)]));
    } finally {
      await this.close({ signal });
    }
  }

  /**
   * Stops reading, waits for what was read to be stored, for `shutdownTimeoutMillis` at most, and saves the positions.
   * What was not stored in time is sent at the next start. Idempotent.
   */
  close(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#closed ??= this.#close(options.signal);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    this.#progressTimer?.cancel();
    const deadline = new AbortController();
    const reason = new Error("the agent's time to stop is over");
    const timer = this.#system.schedule(this.#config.shutdownTimeoutMillis, () => deadline.abort(reason));
    const limit = signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]);
    await Promise.all(this.#flows.map((running) => closeFlow(running, limit)));
    timer.cancel();
    this.#publishProgress();
    this.#store?.close();
    this.#clients.destroy();
  }

  #startFlow(config: FlowConfig, index: number): void {
    const store = this.#store;
    if (store === undefined) return;
    const settings = flowSettings(config, this.#config, `flows[${index}]`);
    const maxBufferedBytes = Math.floor(this.#config.maxBufferedBytes / this.#config.flows.length);
    const deadLetters = new DeadLetterFile(this.#deadLetterDirectory(), settings.id, this.#system);
    const destination = this.#createDestination(config, maxBufferedBytes);
    const flow = new Flow({
      settings,
      destination,
      deadLetters,
      store,
      files: this.#wiring.files ?? realFileSystem,
      budget: new ByteBudget(maxBufferedBytes, flushOneAtATime(destination)),
      system: this.#system,
      host: hostname(),
      publish: (event) => this.#events.publish(event),
      onFailed: () => undefined,
    });
    this.#flows.push({ flow, destination, deadLetters });
    flow.start();
  }

  #createDestination(flow: FlowConfig, maxBufferedBytes: number): Destination {
    const { createDestination, kinesis, system } = this.#wiring;
    if (createDestination !== undefined) return createDestination(flow);
    const shared = { flow, config: this.#config, maxBufferedBytes };
    if (flow.deliveryStream !== undefined) {
      const client = this.#options.firehoseClient ?? this.#clients.firehose;
      return createFirehoseDestination({ ...shared, client, system: this.#system });
    }
    const client = this.#options.client ?? (kinesis === undefined ? this.#clients.kinesis : undefined);
    return createStreamDestination({ ...shared, client, wiring: { kinesis, system } });
  }

  #deadLetterDirectory(): string {
    const beside = dirname(this.#options.positionsPath ?? this.#config.positionsFile);
    return this.#config.deadLetterDirectory ?? join(beside, "dead-letters");
  }

  #planProgress(): void {
    const everyMs = this.#config["log.statusReportingPeriodSeconds"] * 1000;
    this.#progressTimer = this.#system.schedule(
      everyMs,
      () => {
        this.#publishProgress();
        this.#planProgress();
      },
      { unref: true },
    );
  }

  #publishProgress(): void {
    for (const { flow } of this.#flows) {
      this.#events.publish({ type: "progress", flow: flow.id, counters: { ...flow.counters } });
    }
  }
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

function rejectedWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
