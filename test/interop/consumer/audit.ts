/**
 * Pure. Holds what the workers of a fleet told against what was put.
 *
 * - Every record that was put was delivered.
 * - Within a tenure, places rise, and begin after the checkpoint that the tenure started from [C2].
 * - A tenure starts from the last checkpoint that anybody had stored before: nothing before it is read again [C3].
 * - No place is read twice, unless its reader was killed or lost the lease unasked: then only what it had not checkpointed. A producer may store a
 *   record at two places, as it does with one that it aggregated for a shard that had just been split.
 * - Nothing of a child is delivered before its parents have ended [C5].
 */
import type { Entry } from "./worker-lines.ts";

export interface AuditInput {
  readonly journal: readonly Entry[];
  readonly put: ReadonlySet<string>;
  /** Parents by shard. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
  /** True where no worker was cut off: then nothing at all is read twice. */
  readonly exactlyOnce: boolean;
}

export interface AuditResult {
  /** What was found wrong, in words; empty when all is well. */
  readonly wrong: readonly string[];
  /** Shards that a worker lost unasked: on a machine that is too slow, leases expire under their owners. */
  readonly cutOff: ReadonlySet<string>;
}

export function audit({ journal, put, parents, exactlyOnce }: AuditInput): AuditResult {
  const wrong: string[] = [];
  const delivered = new Set<string>();
  const deliveries = new Map<string, number>();
  const stored = new Map<string, string>();
  const tenures = new Map<string, string>();
  const ended = new Set<string>();
  const asked = new Set<string>();
  const cutOff = new Set<string>();
  for (const entry of journal) {
    if (entry.type === "ready" || entry.type === "stopped") continue;
    const { shardId, workerId } = entry;
    const tenure = `${workerId} ${shardId}`;
    switch (entry.type) {
      case "started":
        tenures.set(tenure, entry.from);
        asked.delete(tenure);
        if (isBefore(entry.from, stored.get(shardId))) {
          wrong.push(`${tenure}: started from ${entry.from} although ${stored.get(shardId)} was checkpointed`);
        }
        for (const parent of parents.get(shardId) ?? []) {
          if (!ended.has(parent)) wrong.push(`${tenure}: started before its parent ${parent} had ended`);
        }
        break;
      case "records":
        for (const [place, text] of entry.records) {
          const previous = tenures.get(tenure);
          if (previous === undefined) wrong.push(`${tenure}: got ${place} outside a tenure`);
          else if (!isBefore(previous, place)) wrong.push(`${tenure}: got ${place} after ${previous}`);
          tenures.set(tenure, place);
          delivered.add(text);
          deliveries.set(`${shardId} ${place}`, (deliveries.get(`${shardId} ${place}`) ?? 0) + 1);
        }
        break;
      case "checkpointed":
        if (isBefore(entry.place, stored.get(shardId))) {
          wrong.push(`${tenure}: checkpointed ${entry.place} after ${stored.get(shardId)}`);
        }
        stored.set(shardId, entry.place);
        break;
      case "ended":
        ended.add(shardId);
        tenures.delete(tenure);
        break;
      case "lost":
        tenures.delete(tenure);
        if (!asked.has(tenure)) cutOff.add(shardId);
        break;
      case "failed":
        // How KCL refuses the checkpoint of a worker that has lost its lease.
        if (entry.error !== "ShutdownException") wrong.push(`${tenure}: ${entry.error}`);
        break;
      case "asked":
        asked.add(tenure);
        break;
    }
  }
  const lost = [...put].filter((text) => !delivered.has(text));
  if (lost.length > 0) wrong.push(`${lost.length} of ${put.size} records were never delivered, as ${lost[0]}`);
  const foreign = [...delivered].filter((text) => !put.has(text));
  if (foreign.length > 0) wrong.push(`${foreign.length} records were never put, as ${foreign[0]}`);
  const repeated = [...deliveries].filter(([at, count]) => count > 1 && !cutOff.has(at.split(" ")[0] ?? ""));
  if (exactlyOnce && repeated.length > 0) {
    wrong.push(`${repeated.length} places were read more than once, as ${repeated[0]?.[0]}`);
  }
  return { wrong, cutOff };
}

const sentinels: Readonly<Record<string, bigint>> = { AT_TIMESTAMP: -3n, TRIM_HORIZON: -2n, LATEST: -1n };

function isBefore(place: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  const [a, subA] = parse(place);
  const [b, subB] = parse(other);
  return a === b ? subA < subB : a < b;
}

function parse(place: string): readonly [bigint, number] {
  const [sequenceNumber = "", sub = "0"] = place.split("/");
  if (sequenceNumber === "SHARD_END") return [2n ** 200n, 0];
  // A sentinel has a sub-sequence number of 0, and so has the first record: the sentinel comes before it.
  return [sentinels[sequenceNumber] ?? BigInt(sequenceNumber), Number(sub)];
}
