/**
 * Driver. A program that writes lines to its logs, some of them in two pieces, and opens them anew when it is told.
 */
import { sleep, type System } from "@millrace/core/runtime";
import type { VirtualHost } from "@millrace/simulator";
import type { Lines } from "../checkers/lines.ts";
import type { Appender, Disk } from "../disk/disk.ts";
import type { Component, RunningComponent } from "../world/component.ts";
import { writePayload } from "../world/payload.ts";
import type { World } from "../world/world.ts";

export interface LoggingOptions {
  readonly name: string;
  readonly disk: Disk;
  readonly lines: Lines;
  /** Paths of the logs. */
  readonly logs: readonly string[];
  readonly meanPauseMs: number;
  readonly burstLines: number;
  readonly maxLineBytes: number;
}

export class Logging implements Component {
  readonly name: string;
  readonly #options: LoggingOptions;
  readonly #appenders = new Map<string, Appender>();
  #lines = 0;

  constructor(options: LoggingOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Closes a log and opens what has its name now, as programs do on a signal. */
  reopen(log: string): void {
    const appender = this.#appenders.get(log);
    if (appender === undefined) return;
    appender.close();
    this.#appenders.set(log, this.#options.disk.openAppend(log));
  }

  start(_: World, host: VirtualHost): RunningComponent {
    const abort = new AbortController();
    const loops = this.#options.logs.map((log) => {
      const appender = this.#options.disk.openAppend(log);
      this.#appenders.set(log, appender);
      // The life before may have ended in the middle of a line.
      if (![undefined, 0x0a].includes(appender.content.bytes.at(-1))) appender.append(Buffer.from("\n"));
      return this.#write(log, host.system, abort.signal);
    });
    const close = () => {
      for (const appender of this.#appenders.values()) appender.close();
      this.#appenders.clear();
    };
    return {
      stop: async () => {
        abort.abort();
        await Promise.all(loops);
        close();
      },
      killed: close,
    };
  }

  async #write(log: string, system: System, signal: AbortSignal): Promise<void> {
    const { meanPauseMs, burstLines } = this.#options;
    while (!signal.aborted) {
      const count = 1 + Math.floor(system.random() * burstLines);
      for (let line = 0; line < count; line++) await this.#writeLine(log, system);
      await sleep(system, 1 + system.random() * 2 * meanPauseMs, { signal }).catch(() => {});
    }
  }

  async #writeLine(log: string, system: System): Promise<void> {
    const { lines, maxLineBytes } = this.#options;
    const id = `[line-${String(++this.#lines).padStart(7, "0")}]`;
    const bytes = 20 + Math.floor(system.random() * system.random() * maxLineBytes);
    const line = Buffer.concat([writePayload(id, bytes - 1), Buffer.from("\n")]);
    const cut = system.random() < 0.02 ? Math.floor(system.random() * line.byteLength) : 0;
    const content = this.#appenders.get(log)?.content;
    if (cut > 0) {
      this.#appenders.get(log)?.append(line.subarray(0, cut));
      await sleep(system, system.random() * 4_000);
    }
    const appender = this.#appenders.get(log);
    // A program that holds half a line when its log is opened anew writes the rest into the new one.
    appender?.append(line.subarray(cut));
    if (appender?.content === content) lines.onWritten(id, line.byteLength);
  }
}
