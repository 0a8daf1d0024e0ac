/**
 * Driver. One flow: from files under a pattern to a destination, and the positions that follow.
 *
 * A round scans when it is due, gives every file that may have grown a turn, and hands what it read to the sender.
 * Reading stops while the budget is used up or the destination has no room: the files keep the rest.
 */
import { describeError } from "@millrace/core/observe";
import { SerialLoop, type System } from "@millrace/core/runtime";
import type { Destination } from "../destination.ts";
import { type AgentEvent, createCounters, type FlowCounters } from "../events.ts";
import type { InstanceFields } from "../transform/ec2.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ChangeHints } from "./change-hints.ts";
import type { FileSystem } from "./files.ts";
import type { FlowFile } from "./flow-file.ts";
import type { FlowSettings } from "./flow-settings.ts";
import { Loader } from "./loader.ts";
import type { PositionStore } from "./positions.ts";
import { ReadLoop } from "./read-loop.ts";
import { Sender } from "./sender.ts";
import type { DeadLetters } from "./shipment.ts";
import type { ForeignCheckpoint } from "./takeover-plan.ts";
import { Tracker } from "./tracker.ts";

export interface FlowOptions {
  readonly settings: FlowSettings;
  readonly destination: Destination;
  readonly deadLetters: DeadLetters;
  readonly files: FileSystem;
  readonly store: PositionStore;
  /** Where another agent left off; asked for when the store does not know the flow. */
  readonly foreignCheckpoints: () => readonly ForeignCheckpoint[];
  readonly budget: ByteBudget;
  readonly system: System;
  /** Name of this host, for partition keys and metadata. */
  readonly host: string;
  /** What the host is, no older than asked for. */
  readonly askInstance: (ttlMs: number) => Promise<InstanceFields | undefined>;
  readonly publish: (event: AgentEvent) => void;
  /** Called once when the flow cannot go on. */
  readonly onFailed: (error: unknown) => void;
}

export class Flow {
  readonly counters: FlowCounters = createCounters();
  readonly #options: FlowOptions;
  readonly #tracker: Tracker;
  readonly #sender: Sender;
  readonly #reading: ReadLoop;
  readonly #hints: ChangeHints | undefined;
  #loop: SerialLoop | undefined;
  #saveLoop: SerialLoop | undefined;
  #saveError: string | undefined;
  #failure: unknown;
  #isStopped = false;

  constructor(options: FlowOptions) {
    this.#options = options;
    const { settings, budget, destination, deadLetters, files, store, system, publish } = options;
    const shared = { flow: settings.id, system, publish, counters: this.counters };
    this.#tracker = new Tracker({
      ...shared,
      ...settings,
      maxRecordBytes: settings.framing.maxRecordBytes,
      files,
      store,
      foreignCheckpoints: options.foreignCheckpoints,
      onChunkDone: (chunk) => budget.give(chunk.heldBytes),
    });
    this.#sender = new Sender({
      ...shared,
      destination,
      deadLetters,
      backoff: settings.backoff,
      rates: settings.rates,
      onSettled: (span) => span.generation.settle(span),
    });
    const loader = new Loader({
      ...shared,
      settings,
      host: options.host,
      random: () => system.random(),
      wallNow: () => system.wallNow(),
      askInstance: options.askInstance,
    });
    const onHint = () => this.#loop?.wake();
    this.#hints = settings.watchFiles ? new ChangeHints({ files, system, onHint }) : undefined;
    this.#reading = new ReadLoop({
      ...shared,
      settings,
      budget,
      tracker: this.#tracker,
      loader,
      sender: this.#sender,
      hints: this.#hints,
    });
  }

  get id(): string {
    return this.#options.settings.id;
  }

  /** Records that were read and are not settled. */
  get unsettledRecords(): number {
    return this.#sender.unsettledRecords;
  }

  /** What keeps records from passing at the moment. */
  get trouble(): string | undefined {
    return this.#failure === undefined ? this.#sender.trouble : describeError(this.#failure);
  }

  /** For how long records have failed and none has been stored, in milliseconds. Infinity once the flow has failed. */
  get stuckMs(): number {
    return this.#failure === undefined ? this.#sender.stuckMs : Number.POSITIVE_INFINITY;
  }

  /** Files, sizes and positions as they are now. */
  get files(): readonly FlowFile[] {
    return [...this.#tracker.generations].map((generation) => ({
      path: generation.path,
      generation: generation.id,
      status: generation.status,
      sizeBytes: generation.sizeBytes,
      readBytes: generation.readBytes,
      savedBytes: generation.mark.positionBytes,
    }));
  }

  /** Bytes that the files held unread when they were last looked at. */
  get bytesBehind(): number {
    let bytes = 0;
    for (const { readBytes, sizeBytes } of this.#tracker.generations) bytes += Math.max(0, sizeBytes - readBytes);
    return bytes;
  }

  /** Loads positions and begins to read. Throws when the positions cannot be read. */
  start(): void {
    const { publish, settings, system } = this.#options;
    this.#tracker.load();
    publish({ type: "flow-started", flow: settings.id, patterns: settings.include });
    this.#loop = new SerialLoop({
      system,
      step: (signal) => this.#reading.step(signal),
      onCrash: (error) => this.#fail(error),
    });
    // A loop of its own: positions are saved while the reader waits for a destination that is paused.
    this.#saveLoop = new SerialLoop({
      system,
      step: () => {
        this.#save();
        return Promise.resolve(settings.saveEveryMs);
      },
      onCrash: (error) => this.#fail(error),
    });
  }

  /** Looks at once: something may have changed. */
  hint(): void {
    this.#reading.hint();
    this.#loop?.wake();
  }

  /** Resolves once every whole line that the files hold now is settled and saved. */
  async catchUp(): Promise<void> {
    if (this.#loop !== undefined && this.#failure === undefined && !this.#isStopped) {
      const read = this.#reading.untilRead();
      this.#loop.wake();
      await read;
    }
    if (this.#failure !== undefined) throw this.#failure as Error;
    await this.#sender.settled(new AbortController().signal);
    this.#save();
  }

  /** Reads every file to its end, last lines without a newline too, and resolves once all of it is settled and saved. */
  async drain(): Promise<void> {
    this.#reading.drains = true;
    await this.catchUp();
  }

  /** Stops reading, waits for what is on its way until `deadline` aborts, and saves the positions. */
  async stop(deadline: AbortSignal): Promise<void> {
    await this.#loop?.stop();
    this.#hints?.close();
    await this.#saveLoop?.stop();
    this.#isStopped = true;
    this.#reading.release();
    try {
      await this.#sender.settled(deadline);
    } catch {
      // What is not settled by now is read and sent again at the next start.
      this.#sender.abandon();
    }
    this.#save();
    await this.#tracker.close();
    const { publish, settings } = this.#options;
    publish({ type: "flow-stopped", flow: settings.id, unsettledRecords: this.#sender.unsettledRecords });
  }

  /** A store that cannot write delays nothing: only more would be sent twice after a crash. */
  #save(): void {
    try {
      this.#tracker.save();
      this.#saveError = undefined;
    } catch (error) {
      const text = describeError(error);
      if (this.#saveError === text) return;
      this.#saveError = text;
      this.#options.publish({ type: "positions-not-saved", flow: this.id, error: text });
    }
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#options.publish({ type: "flow-failed", flow: this.id, error: describeError(error) });
    this.#reading.release();
    this.#options.onFailed(error);
  }
}
