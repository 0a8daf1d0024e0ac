/**
 * Pure. What a listing says about generations, before anything is read.
 */
import { type FileStat, inodeKey, type Sighting } from "./files.ts";

/** A listing joined with what is known. */
export interface Joined<G> {
  readonly known: readonly { readonly generation: G; readonly sighting: Sighting }[];
  /** Files that belong to no generation, least recently changed first: the older one is read first. */
  readonly newcomers: Sighting[];
}

/**
 * Joins by inode. A file under several paths (hard links, symbolic links) is taken once: under the path it had, or
 * else the first in order.
 */
export function joinSightings<G extends { readonly path: string }>(
  byInode: ReadonlyMap<string, G>,
  sightings: readonly Sighting[],
): Joined<G> {
  const chosen = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const key = inodeKey(sighting);
    const other = chosen.get(key);
    const knownPath = byInode.get(key)?.path;
    const isBetter =
      other === undefined || sighting.path === knownPath || (other.path !== knownPath && sighting.path < other.path);
    if (isBetter) chosen.set(key, sighting);
  }
  const known: { generation: G; sighting: Sighting }[] = [];
  const newcomers: Sighting[] = [];
  for (const [key, sighting] of chosen) {
    const generation = byInode.get(key);
    if (generation === undefined) newcomers.push(sighting);
    else known.push({ generation, sighting });
  }
  return {
    known,
    newcomers: newcomers.toSorted((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1)),
  };
}

/** What is known of a file that begins like one that is being followed. */
export interface Suspicion {
  readonly sizeBytes: number;
  /** When it last grew. */
  readonly grewAtMs: number;
}

/** The suspicion after another look; `release` when it has stood still for as long as a truncation is waited for. */
export function stepSuspicion(
  suspicion: Suspicion,
  look: { readonly sizeBytes: number; readonly nowMs: number; readonly waitMs: number },
): { readonly suspicion: Suspicion; readonly release: boolean } {
  if (look.sizeBytes !== suspicion.sizeBytes) {
    return { suspicion: { sizeBytes: look.sizeBytes, grewAtMs: look.nowMs }, release: false };
  }
  return { suspicion, release: look.nowMs - suspicion.grewAtMs >= look.waitMs };
}

/**
 * Files that were written after `left` and are known to nobody: generations that came and went between two looks.
 * Older rotated files were last written before `left` was.
 */
export function betweenGenerations(left: FileStat, unknown: readonly Sighting[]): readonly Sighting[] {
  return unknown
    .filter((sighting) => sighting.sizeBytes > 0 && sighting.modifiedMs >= left.modifiedMs)
    .toSorted((a, b) => a.modifiedMs - b.modifiedMs);
}

const rotatedSuffix = /(?:[.\-_](?:\d[\dTZ.:_-]*|old|bak|prev|previous))+$/;

/** True for a name that rotation gives to `path`: a number, a date, or one of the usual words after it. */
export function isRotatedName(name: string, path: string): boolean {
  if (!name.startsWith(path)) return false;
  return rotatedSuffix.exec(name.slice(path.length))?.index === 0;
}

/** True when two paths may be of one log: one is the other, with or without what rotation appends. */
export function isSameLog(a: string, b: string): boolean {
  const stemA = a.replace(rotatedSuffix, "");
  const stemB = b.replace(rotatedSuffix, "");
  return stemA === stemB || a.startsWith(stemB) || b.startsWith(stemA);
}
