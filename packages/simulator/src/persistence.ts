/**
 * Driver. Keeps a service's state in its file: read at the start, written every second and at the end.
 */
import { ConfigError } from "@millrace/core/options";
import type { System, Timer } from "@millrace/core/runtime";
import { damaged, StateFile } from "./io/state-file.ts";
import { restoreService, saveService, shardsOf, type SavedService } from "./saved-state.ts";
import type { ServiceState } from "./service-state.ts";

/** What can be lost when the process is killed. */
const saveIntervalMs = 1000;

export class Persistence {
  readonly #path: string;
  readonly #file: StateFile;
  readonly #system: System;
  readonly #saved: SavedService | undefined;
  #state: ServiceState | undefined;
  #timer: Timer | undefined;
  #warned = false;

  /** @throws {ConfigError} for a file that cannot be used. */
  constructor(path: string, system: System) {
    this.#path = path;
    this.#system = system;
    this.#file = StateFile.open(path);
    try {
      this.#saved = this.#file.load();
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** The secret of the earlier runs' tokens; undefined in a new file. */
  get secret(): string | undefined {
    return this.#saved?.secret;
  }

  /** Which run of the saved service this is, from 1. */
  get run(): number {
    return (this.#saved?.run ?? 0) + 1;
  }

  /**
   * Fills a new service with what was saved, and keeps it saved from now on.
   * @throws {ConfigError} when the file is damaged, or of another account or region.
   */
  attach(state: ServiceState): void {
    try {
      if (this.#saved !== undefined) this.#restore(state, this.#saved);
    } catch (error) {
      this.#file.close();
      if (error instanceof ConfigError) throw error;
      throw damaged(this.#path, "what it holds is no simulator's state");
    }
    this.#state = state;
    this.#saveNow(state);
    this.#arm(state);
  }

  /** Saves for the last time; idempotent. @throws the system's error when it cannot be written. */
  close(): void {
    const state = this.#state;
    if (state === undefined) return;
    this.#state = undefined;
    this.#timer?.cancel();
    try {
      this.#saveNow(state);
    } finally {
      this.#file.close();
    }
  }

  #restore(state: ServiceState, saved: SavedService): void {
    if (saved.accountId !== state.accountId || saved.region !== state.region) {
      throw new ConfigError({
        path: "persistPath",
        got: this.#path,
        expected: `a file of account ${state.accountId} in ${state.region}`,
        hint: `It is of account ${saved.accountId} in ${saved.region}, and was left as it is.`,
      });
    }
    restoreService(state, saved);
    const tips = saved.streams.flatMap((stream) => stream.shards.map((shard) => shard.tip));
    const shards = shardsOf(state);
    this.#file.loadRecords(shards, tips);
    for (const { shard } of shards) state.memory.add(shard.log.storedBytes);
    state.memory.trimToCap();
  }

  #arm(state: ServiceState): void {
    const save = () => {
      this.#trySave(state);
      this.#arm(state);
    };
    this.#timer = this.#system.schedule(saveIntervalMs, save, { unref: true });
  }

  #trySave(state: ServiceState): void {
    try {
      this.#saveNow(state);
    } catch (error) {
      // Nothing is lost yet: it is all in memory, and the next save brings what this one could not.
      if (this.#warned) return;
      this.#warned = true;
      const reason = error instanceof Error ? error.message : String(error);
      process.emitWarning(`@millrace/simulator: ${this.#path} cannot be written (persistPath): ${reason}`, {
        code: "MILLRACE_SIMULATOR_NOT_SAVED",
      });
    }
  }

  #saveNow(state: ServiceState): void {
    this.#file.save(saveService(state), shardsOf(state));
  }
}
