/**
 * Driver. What rotates the logs of a host, as logrotate does: by renaming, by copying and truncating, or under dated names;
 * now and then somebody empties or removes one.
 */
import type { Disk } from "../disk/disk.ts";
import type { Coverage } from "../world/coverage.ts";
import type { World } from "../world/world.ts";
import type { Logging } from "./logging.ts";

/** How one log is rotated. */
export interface RotationPlan {
  readonly log: string;
  readonly style: "rename" | "copytruncate" | "dated";
  /** Rotated files that are kept. */
  readonly keep: number;
}

export class Rotating {
  readonly #world: World;
  readonly #disk: Disk;
  readonly #logging: Logging;
  readonly #coverage: Coverage;
  readonly #plans: readonly RotationPlan[];
  readonly #busy = new Set<string>();
  #rotations = 0;

  constructor(parts: {
    readonly world: World;
    readonly disk: Disk;
    readonly logging: Logging;
    readonly coverage: Coverage;
    readonly plans: readonly RotationPlan[];
  }) {
    this.#world = parts.world;
    this.#disk = parts.disk;
    this.#logging = parts.logging;
    this.#coverage = parts.coverage;
    this.#plans = parts.plans;
  }

  /** True while a copy is being made. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** Rotates some log. */
  rotate(): void {
    const plan = this.#world.random.pick(this.#plans);
    const { log, style } = plan;
    if (this.#busy.has(log) || this.#disk.at(log) === undefined) return;
    this.#coverage.note(`rotations-${style}`);
    if (style === "copytruncate") {
      this.#shift(plan);
      this.#copyAndTruncate(log);
      return;
    }
    if (style === "rename") {
      this.#shift(plan);
      this.#disk.rename(log, `${log}.1`);
    } else {
      this.#disk.rename(log, `${log}-${String(++this.#rotations).padStart(6, "0")}`);
      const dated = this.#disk.paths.filter((path) => path.startsWith(`${log}-`)).toSorted();
      for (const path of dated.slice(0, Math.max(0, dated.length - plan.keep))) this.#disk.unlink(path);
    }
    this.#reopenSoon(log);
  }

  /** Empties some log, or removes it. */
  take(): void {
    const { log } = this.#world.random.pick(this.#plans);
    if (this.#busy.has(log)) return;
    if (this.#world.random.chance(0.5)) {
      this.#coverage.note("truncations");
      this.#disk.truncate(log);
    } else {
      this.#coverage.note("removals");
      this.#disk.unlink(log);
      this.#reopenSoon(log);
    }
  }

  #shift({ log, keep }: RotationPlan): void {
    for (let index = keep; index > 0; index--) this.#disk.rename(`${log}.${index}`, `${log}.${index + 1}`);
    this.#disk.unlink(`${log}.${keep + 1}`);
  }

  /** The program may be slow to take up the new file, and writes to the old one meanwhile. */
  #reopenSoon(log: string): void {
    this.#world.after(this.#world.random.pick([0, 5, 3_000]), () => this.#logging.reopen(log));
  }

  /** Copies piece by piece, while lines go on being written, and truncates when the end is reached. */
  #copyAndTruncate(log: string): void {
    const source = this.#disk.at(log);
    const copy = this.#disk.openAppend(`${log}.1`);
    this.#busy.add(log);
    const step = () => {
      const from = copy.content.sizeBytes;
      // The disk may have lost power meanwhile, or the log was removed: the copy stays as it is.
      if (source === undefined || this.#disk.at(log) !== source) {
        copy.close();
        this.#busy.delete(log);
        return;
      }
      const rest = source.content.bytes.subarray(from, from + 16_384);
      if (rest.byteLength > 0) {
        copy.append(rest);
        this.#world.after(this.#world.random.pick([0.1, 1, 40]), step);
        return;
      }
      copy.close();
      this.#world.after(this.#world.random.pick([0, 0.05, 1]), () => {
        this.#busy.delete(log);
        this.#disk.truncate(log);
      });
    };
    step();
  }
}
