/**
 * Driver. The agent: its flows, the positions they share, and the bound on its memory.
 */
import { createEventPublisher, describeError, type EventPublisher } from "@millrace/core/observe";
import { checkOptionNames, ConfigError } from "@millrace/core/options";
import { realSystem, type System, type Timer } from "@millrace/core/runtime";
import { checkFixedKeys } from "./config/changes.ts";
import { flowSettings } from "./config/flow-settings.ts";
import { parseConfig, type ParsedConfig } from "./config/parse.ts";
import type { AgentConfig, AgentConfigInput } from "./config/schema.ts";
import type { ConfigWarning } from "./config/warnings.ts";
import type { AgentEvent } from "./events.ts";
import { FlowSet } from "./flow-set.ts";
import type { PositionStore } from "./flow/positions.ts";
import { openPositionStore } from "./io/position-store.ts";
import type { AgentOptions, AgentWiring, FlowStatus, ReloadStatus } from "./options.ts";

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
  #config: AgentConfig;
  readonly #warnings: readonly ConfigWarning[];
  readonly #options: AgentOptions;
  readonly #wiring: AgentWiring;
  readonly #system: System;
  readonly #events: EventPublisher<AgentEvent>;
  #store: PositionStore | undefined;
  #flows: FlowSet | undefined;
  #startedAtMs = 0;
  #progressTimer: Timer | undefined;
  #closed: Promise<void> | undefined;
  /** Reloads run one after the other. */
  #reloads: Promise<unknown> = Promise.resolve();
  #lastReload: ReloadStatus | undefined;

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
    const parsed = parse(config ?? { flows });
    this.#config = parsed.config;
    this.#warnings = parsed.warnings;
    this.#options = options;
    this.#wiring = wiring;
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
    const store = this.#wiring.store ?? openPositionStore(this.#options.positionsPath ?? positionsFile);
    this.#store = store;
    this.#startedAtMs = this.#system.now();
    this.#warn(this.#warnings);
    this.#flows = new FlowSet({
      options: this.#options,
      wiring: this.#wiring,
      system: this.#system,
      store,
      publish: (event) => this.#events.publish(event),
    });
    try {
      this.#flows.start(this.#config);
    } catch (error) {
      void this.close();
      throw error;
    }
    this.#planProgress();
  }

  /** Every flow as it stands. */
  status(): readonly FlowStatus[] {
    return this.#running.map((flow) => ({
      flow: flow.id,
      counters: { ...flow.counters },
      unsettledRecords: flow.unsettledRecords,
      trouble: flow.trouble,
      stuckMs: Number.isFinite(flow.stuckMs) ? flow.stuckMs : null,
      files: flow.files,
    }));
  }

  /** What came of the last `reload`; undefined before the first. */
  get lastReload(): ReloadStatus | undefined {
    return this.#lastReload;
  }

  /**
   * Takes another configuration while the agent runs. Flows that it does not change go on untouched; others stop
   * reading, have `shutdownTimeoutMillis` to store what they read, and begin anew from their saved positions, or end.
   * Says `reloaded` or `reload-refused`; a refused configuration changes nothing. A function gives the configuration when
   * its turn comes: reloads run one after the other.
   * @throws {ConfigError} when the configuration is wrong, or changes what only a restart can; also what `config` throws.
   */
  reload(config: AgentConfigInput | (() => AgentConfigInput)): Promise<void> {
    const load = typeof config === "function" ? config : () => config;
    const reloaded = this.#reloads.then(() => this.#reload(load));
    this.#reloads = reloaded.catch(() => undefined);
    return reloaded;
  }

  /** Resolves once every whole line that the files hold now is stored and its position is saved. */
  async catchUp(): Promise<void> {
    await Promise.all(this.#running.map((flow) => flow.catchUp()));
  }

  /**
   * Reads every file to its end, last lines without a newline too, and closes once everything is stored and its
   * positions are saved. A file that fails to be read five times in a row is left, with the event `file-unreadable`, for
   * the next start. Waits for as long as the destination takes; `signal` ends the wait, and the agent closes.
   */
  async drain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options;
    const drained = Promise.all(this.#running.map((flow) => flow.drain()));
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

  get #running() {
    return this.#flows?.flows ?? [];
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    await this.#reloads;
    this.#progressTimer?.cancel();
    await this.#withDeadline(signal, async (limit) => this.#flows?.close(limit));
    this.#publishProgress();
    this.#store?.close();
  }

  async #reload(load: () => AgentConfigInput): Promise<void> {
    const at = new Date(this.#system.wallNow()).toISOString();
    try {
      if (this.#flows === undefined || this.#closed !== undefined) throw new Error("the agent does not run");
      const { config, warnings } = parse(load());
      checkFixedKeys(this.#config, config);
      const flows = this.#flows;
      const changes = await this.#withDeadline(undefined, (limit) => flows.apply(config, limit));
      this.#config = config;
      this.#warn(warnings);
      this.#lastReload = { at, ok: true };
      this.#events.publish({ type: "reloaded", ...changes });
    } catch (error) {
      const text = describeError(error);
      this.#lastReload = { at, ok: false, error: text };
      this.#events.publish({ type: "reload-refused", error: text });
      throw error;
    }
  }

  async #withDeadline<T>(signal: AbortSignal | undefined, work: (limit: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = new AbortController();
    const reason = new Error("the agent's time to stop is over");
    const timer = this.#system.schedule(this.#config.shutdownTimeoutMillis, () => deadline.abort(reason));
    try {
      return await work(signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]));
    } finally {
      timer.cancel();
    }
  }

  #warn(warnings: readonly ConfigWarning[]): void {
    for (const { path, text } of warnings) this.#events.publish({ type: "config-warning", path, text });
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
    const sums = { recordsRead: 0, bytesRead: 0, recordsSent: 0 };
    for (const { bytesBehind, counters, id } of this.#running) {
      this.#events.publish({ type: "progress", flow: id, counters: { ...counters }, bytesBehind });
      sums.recordsRead += counters.recordsRead;
      sums.bytesRead += counters.bytesRead;
      sums.recordsSent += counters.recordsSent;
    }
    const uptimeMs = Math.round(this.#system.now() - this.#startedAtMs);
    this.#events.publish({ type: "agent-progress", ...sums, uptimeMs });
  }
}

/** A configuration whose every part was looked at. @throws {ConfigError} */
function parse(value: unknown): ParsedConfig {
  const parsed = parseConfig(value);
  for (const [index, flow] of parsed.config.flows.entries()) flowSettings(flow, parsed.config, `flows[${index}]`);
  return parsed;
}

function rejectedWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
