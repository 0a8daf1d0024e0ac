/**
 * Driver. What the workers of the consumer torture told, and what of it must not be.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkerReport } from "./consumer-worker.ts";

/** A report, and whose it is; or what was done to that worker. */
export type Entry = { readonly workerId: string } & (
  | WorkerReport
  | { readonly type: "act"; readonly action: string; readonly atUs: number }
);

/** A worker's right to a shard, from when it was told of it. */
export type Tenure = EntryOf<"tenure">;

type EntryOf<T extends Entry["type"]> = Extract<Entry, { type: T }>;

/** A call of a handler. */
interface Delivery {
  readonly workerId: string;
  readonly shardId: string;
  readonly token: string;
  readonly atUs: number;
  readonly lines: number;
}

/** Everything that was told, in the order in which it came. What is asked for again and again is kept as it comes. */
export class Journal {
  readonly delivered = new Set<string>();
  deliveries = 0;
  readonly #entries: Entry[] = [];
  readonly #calls: Delivery[] = [];
  readonly #tenuresOf = new Map<string, Tenure[]>();
  readonly #current = new Map<string, Tenure>();
  readonly #finished = new Set<string>();
  #leader: string | undefined;

  add(entry: Entry): void {
    if (entry.type === "records") {
      const { workerId, shardId, token, atUs, lines } = entry;
      this.#calls.push({ workerId, shardId, token, atUs, lines: lines.length });
      this.deliveries += lines.length;
      for (const line of lines) this.delivered.add(line);
      return;
    }
    this.#entries.push(entry);
    if (entry.type === "leads") this.#leader = entry.workerId;
    else if (entry.type === "tenure") this.#begins(entry);
    else if (entry.type === "finished") {
      this.#finished.add(entry.shardId);
      this.#current.delete(entry.shardId);
    } else if (entry.type === "released" || entry.type === "lost") {
      if (this.#current.get(entry.shardId)?.workerId === entry.workerId) this.#current.delete(entry.shardId);
    }
  }

  #begins(tenure: Tenure): void {
    const { shardId, token } = tenure;
    const known = this.#tenuresOf.get(shardId) ?? [];
    known.push(tenure);
    this.#tenuresOf.set(shardId, known);
    const before = this.#current.get(shardId);
    if (before === undefined || isLater(token, before.token)) this.#current.set(shardId, tenure);
  }

  of<T extends Entry["type"]>(type: T): readonly EntryOf<T>[] {
    return this.#entries.filter((entry): entry is EntryOf<T> => entry.type === type);
  }

  /** Writes everything but the records to a file, in the order of the clock. Gives its path. */
  save(): string {
    const path = join(mkdtempSync(join(tmpdir(), "millrace-torture-consumer-")), "journal.jsonl");
    const entries = this.#entries.toSorted((a, b) => a.atUs - b.atUs);
    writeFileSync(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    return path;
  }

  /** Who reads each shard that is neither finished nor given up, with the token of its tenure. */
  get tenures(): ReadonlyMap<string, Tenure> {
    return this.#current;
  }

  /** Who led last. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** When a shard was first read under a token past `token`; undefined when it was not yet. */
  followed(shardId: string, token: string): number | undefined {
    return this.#tenuresOf.get(shardId)?.find((tenure) => isLater(tenure.token, token))?.atUs;
  }

  isFinished(shardId: string): boolean {
    return this.#finished.has(shardId);
  }

  /** Checkpoints that were begun and stored by one owner although another one had the shard already [C4]. */
  get staleCheckpoints(): readonly string[] {
    return this.of("checkpoint").flatMap((stored) => {
      const newer = this.#tenuresOf
        .get(stored.shardId)
        ?.find((tenure) => isLater(tenure.token, stored.token) && tenure.atUs < stored.sinceUs);
      return newer === undefined ? [] : [`${stored.shardId}: ${stored.workerId} stored after ${newer.workerId} began`];
    });
  }

  /** Deliveries by an owner that began after a newer owner's checkpoint was stored. */
  get lateDeliveries(): readonly string[] {
    const firstStored = new Map<string, EntryOf<"stored">[]>();
    for (const stored of this.of("stored")) {
      const known = firstStored.get(stored.shardId) ?? [];
      if (!known.some(({ token }) => token === stored.token)) known.push(stored);
      firstStored.set(stored.shardId, known);
    }
    return this.#calls.flatMap((records) => {
      const newer = firstStored
        .get(records.shardId)
        ?.find((stored) => isLater(stored.token, records.token) && stored.atUs < records.atUs);
      if (newer === undefined) return [];
      const lateMs = Math.round((records.atUs - newer.atUs) / 1000);
      return [`${records.shardId}: ${records.workerId} got ${records.lines} ${lateMs} ms after ${newer.workerId}`];
    });
  }

  /** Milliseconds from each parent's end to the tenure of its children. */
  childStartsMs(parentsOf: (shardId: string) => readonly string[]): readonly number[] {
    const firstTenure = new Map<string, number>();
    for (const { shardId, atUs } of this.of("tenure")) {
      if (!firstTenure.has(shardId)) firstTenure.set(shardId, atUs);
    }
    const finishedAt = new Map(this.of("finished").map(({ shardId, atUs }) => [shardId, atUs]));
    return [...firstTenure].flatMap(([shardId, atUs]) => {
      const ends = parentsOf(shardId).map((parent) => finishedAt.get(parent));
      if (ends.length === 0 || ends.includes(undefined)) return [];
      return [Math.max(0, (atUs - Math.max(...ends.map((end) => end ?? 0))) / 1000)];
    });
  }
}

function isLater(token: string, than: string): boolean {
  return BigInt(token) > BigInt(than);
}
