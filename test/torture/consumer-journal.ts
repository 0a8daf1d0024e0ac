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

/** Everything that was told, in the order in which it came. */
export class Journal {
  readonly entries: Entry[] = [];
  readonly delivered = new Set<string>();
  deliveries = 0;

  add(entry: Entry): void {
    this.entries.push(entry);
    if (entry.type !== "records") return;
    this.deliveries += entry.lines.length;
    for (const line of entry.lines) this.delivered.add(line);
  }

  of<T extends Entry["type"]>(type: T): readonly EntryOf<T>[] {
    return this.entries.filter((entry): entry is EntryOf<T> => entry.type === type);
  }

  /** Writes everything but the records to a file, in the order of the clock. Gives its path. */
  save(): string {
    const path = join(mkdtempSync(join(tmpdir(), "millrace-torture-consumer-")), "journal.jsonl");
    const entries = this.entries.filter(({ type }) => type !== "records").toSorted((a, b) => a.atUs - b.atUs);
    writeFileSync(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    return path;
  }

  /** Who reads each shard that is neither finished nor given up, with the token of its tenure. */
  get tenures(): ReadonlyMap<string, Tenure> {
    const tenures = new Map<string, Tenure>();
    for (const entry of this.entries) {
      if (entry.type === "tenure") {
        const before = tenures.get(entry.shardId);
        if (before === undefined || BigInt(before.token) < BigInt(entry.token)) tenures.set(entry.shardId, entry);
      }
      if (entry.type === "finished") tenures.delete(entry.shardId);
      const isOver = entry.type === "released" || entry.type === "lost";
      if (isOver && tenures.get(entry.shardId)?.workerId === entry.workerId) {
        tenures.delete(entry.shardId);
      }
    }
    return tenures;
  }

  /** Who led last. */
  get leader(): string | undefined {
    return this.entries.findLast((entry) => entry.type === "leads")?.workerId;
  }

  /** When a shard was first read under a token past `token`; undefined when it was not yet. */
  followed(shardId: string, token: string): number | undefined {
    return this.of("tenure").find((entry) => entry.shardId === shardId && BigInt(entry.token) > BigInt(token))?.atUs;
  }

  isFinished(shardId: string): boolean {
    return this.entries.some((entry) => entry.type === "finished" && entry.shardId === shardId);
  }

  /** Checkpoints that were begun and stored by one owner although another one had the shard already [C4]. */
  get staleCheckpoints(): readonly string[] {
    return this.of("checkpoint").flatMap((stored) => {
      const newer = this.of("tenure").find(
        (tenure) =>
          tenure.shardId === stored.shardId && isLater(tenure.token, stored.token) && tenure.atUs < stored.sinceUs,
      );
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
    return this.of("records").flatMap((records) => {
      const newer = firstStored
        .get(records.shardId)
        ?.find((stored) => isLater(stored.token, records.token) && stored.atUs < records.atUs);
      if (newer === undefined) return [];
      const lateMs = Math.round((records.atUs - newer.atUs) / 1000);
      return [
        `${records.shardId}: ${records.workerId} got ${records.lines.length} ${lateMs} ms after ${newer.workerId}`,
      ];
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
