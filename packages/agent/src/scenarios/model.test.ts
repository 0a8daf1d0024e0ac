/**
 * Scenario 74: random writes, rotations, truncations, deletions, crashes, restarts and throttles against real files.
 *
 * The model knows each line that reached a file, and which of them a truncation or deletion took before the agent had
 * read them. Every other line must arrive, whole [C9]; without a crash, and where no two files looked alike, exactly once.
 */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realSystem } from "@millrace/core/runtime";
import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
} from "fast-check";
import { expect, test } from "vitest";
import { Agent } from "../agent.ts";
import type { AgentEvent } from "../events.ts";
import { MemoryPositionStore } from "../flow/memory-position-store.ts";
import { Lifeline } from "../testing-support/crashable.ts";
import { ManualSystem } from "../testing-support/manual-system.ts";
import { MemoryDestination, ScopedError } from "../testing-support/memory-destination.ts";

type Action =
  | { readonly type: "write"; readonly lines: number; readonly long: boolean }
  | { readonly type: "rename" | "copytruncate" | "truncate" | "delete-old" | "look" | "restart" | "crash" }
  | { readonly type: "half" }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "throttle"; readonly puts: number };

const action: Arbitrary<Action> = oneof(
  {
    weight: 6,
    arbitrary: record({
      type: constant("write" as const),
      lines: integer({ min: 1, max: 40 }),
      long: boolean(),
    }),
  },
  { weight: 3, arbitrary: constant({ type: "look" as const }) },
  {
    weight: 2,
    arbitrary: record({ type: constant("pass" as const), ms: constantFrom(100, 1_000, 6_000, 15_000) }),
  },
  { weight: 2, arbitrary: constantFrom<Action>({ type: "rename" }, { type: "copytruncate" }) },
  { weight: 1, arbitrary: constantFrom<Action>({ type: "truncate" }, { type: "delete-old" }, { type: "half" }) },
  { weight: 1, arbitrary: constantFrom<Action>({ type: "restart" }, { type: "crash" }) },
  {
    weight: 1,
    arbitrary: record({ type: constant("throttle" as const), puts: integer({ min: 1, max: 30 }) }),
  },
);

/** One run: a directory, a model of what was written, and the agents that lived. */
class Run {
  readonly #directory = mkdtempSync(join(tmpdir(), "millrace-model-"));
  readonly #store = new MemoryPositionStore();
  readonly #destination = new MemoryDestination();
  readonly events: AgentEvent[] = [];
  readonly written = new Set<string>();
  /** Lines that were taken from a file before the agent had them. */
  readonly excused = new Set<string>();
  /** Lines that a truncation or deletion may have cut. */
  hasCrashed = false;
  #agent: Agent | undefined;
  #lifeline: Lifeline | undefined;
  #system = new ManualSystem(() => realSystem.breathe());
  #starts = 0;
  #lines = 0;
  #rotations = 0;
  #half = "";
  #throttledPuts = 0;

  constructor() {
    this.#destination.fateOf = () => {
      if (this.#throttledPuts <= 0) return undefined;
      this.#throttledPuts -= 1;
      return new ScopedError("stream");
    };
  }

  get delivered(): readonly string[] {
    return this.#destination.lines;
  }

  #path(name = "app.log"): string {
    return join(this.#directory, name);
  }

  start(): void {
    this.#starts += 1;
    this.#system = new ManualSystem(() => realSystem.breathe(), this.#starts);
    const lifeline = new Lifeline(this.#destination, this.#store);
    this.#lifeline = lifeline;
    this.#agent = new Agent(
      {
        flows: [
          { filePattern: join(this.#directory, "app.log*"), kinesisStream: "s", initialPosition: "START_OF_FILE" },
        ],
        onEvent: (event) => this.events.push(event),
      },
      { system: this.#system, store: lifeline.store, createDestination: () => lifeline },
    );
    this.#agent.start();
  }

  async #pump(promise: Promise<unknown>): Promise<void> {
    const state = { isDone: false };
    const done = promise.finally(() => {
      state.isDone = true;
    });
    for (let turn = 0; !state.isDone; turn++) {
      await this.#system.breathe();
      // Time only moves when files alone do not bring it on: a throttled flow waits for its backoff.
      if (turn > 50) this.#system.advance(200);
    }
    await done;
  }

  async look(): Promise<void> {
    await this.#pump(this.#agent?.catchUp() ?? Promise.resolve());
  }

  async stop(): Promise<void> {
    await this.#pump(this.#agent?.close() ?? Promise.resolve());
  }

  async crash(): Promise<void> {
    this.hasCrashed = true;
    if (this.#lifeline !== undefined) this.#lifeline.isDead = true;
    // The old agent is put away so that its handles are closed; nothing it does is seen any more.
    await this.stop();
  }

  #excuse(name: string): void {
    if (!existsSync(this.#path(name))) return;
    const delivered = new Set(this.delivered);
    for (const line of readFileSync(this.#path(name), "utf8").match(/[^\n]*\n?/g) ?? []) {
      if (!delivered.has(line)) this.excused.add(line);
    }
  }

  #append(text: string): void {
    appendFileSync(this.#path(), text);
  }

  async do(step: Action): Promise<void> {
    switch (step.type) {
      case "write":
        for (let index = 0; index < step.lines; index++) {
          this.#lines += 1;
          const line = `${this.#half}line ${this.#lines} ${step.long ? "z".repeat(90) : ""}\n`;
          this.#append(line.slice(this.#half.length));
          this.written.add(line);
          this.#half = "";
        }
        return;
      case "half":
        this.#lines += 1;
        this.#append(`half ${this.#lines} `);
        this.#half += `half ${this.#lines} `;
        return;
      case "rename":
        this.#shift();
        if (existsSync(this.#path())) renameSync(this.#path(), this.#path("app.log.1"));
        this.#endHalf(true);
        return;
      case "copytruncate":
        if (!existsSync(this.#path())) return;
        this.#shift();
        copyFileSync(this.#path(), this.#path("app.log.1"));
        truncateSync(this.#path());
        this.#endHalf(true);
        return;
      case "truncate":
        if (!existsSync(this.#path())) return;
        this.#excuse("app.log");
        truncateSync(this.#path());
        this.#endHalf(false);
        return;
      case "delete-old":
        if (!existsSync(this.#path(`app.log.${this.#rotations}`))) return;
        this.#excuse(`app.log.${this.#rotations}`);
        rmSync(this.#path(`app.log.${this.#rotations}`));
        this.#rotations -= 1;
        return;
      case "look":
        return this.look();
      case "pass":
        await this.look();
        this.#system.advance(step.ms);
        return this.look();
      case "restart":
        await this.stop();
        return this.start();
      case "crash":
        await this.crash();
        return this.start();
      default:
        this.#throttledPuts += step.puts;
    }
  }

  /** A half line at the end of a rotated file stays one; of a truncated file it is gone. */
  #endHalf(isKept: boolean): void {
    if (this.#half !== "" && isKept) this.written.add(this.#half);
    this.#half = "";
  }

  #shift(): void {
    if (!existsSync(this.#path())) return;
    for (let index = this.#rotations; index > 0; index--) {
      if (existsSync(this.#path(`app.log.${index}`)))
        renameSync(this.#path(`app.log.${index}`), this.#path(`app.log.${index + 1}`));
    }
    this.#rotations += 1;
  }

  async finish(): Promise<void> {
    this.#throttledPuts = 0;
    for (let passed = 0; passed < 4; passed++) {
      await this.look();
      this.#system.advance(8_000);
    }
    await this.#pump(this.#agent?.drain() ?? Promise.resolve());
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

test("[C9] [C10] scenario 74: every line arrives that no truncation or deletion took, whatever happens", async () => {
  await assert(
    asyncProperty(array(action, { minLength: 3, maxLength: 30 }), async (actions) => {
      const run = new Run();
      run.start();
      for (const step of actions) await run.do(step);
      await run.finish();
      const delivered = new Set(run.delivered);
      const missing = [...run.written].filter((line) => !delivered.has(line) && !run.excused.has(line));
      expect(missing).toEqual([]);
      const isAmbiguous = run.events.some((event) => event.type === "ambiguous-file");
      const mayRepeat = run.hasCrashed || isAmbiguous;
      expect(mayRepeat ? 0 : run.delivered.length - delivered.size).toBe(0);
    }),
    { numRuns: Number(process.env["MILLRACE_MODEL_RUNS"] ?? 60) },
  );
}, 60_000);
