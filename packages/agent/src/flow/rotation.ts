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
  const known: { generation: G; sighting: Sighting }[] = [];
  const strays: Sighting[] = [];
  for (const sighting of sightings) {
    const generation = byInode.get(inodeKey(sighting));
    // Nearly all of ten thousand files are where they were.
    if (generation?.path === sighting.path) known.push({ generation, sighting });
    else strays.push(sighting);
  }
  const newcomers: Sighting[] = [];
  if (strays.length > 0) {
    const atHome = new Set(known.map(({ generation }) => generation));
    const chosen = new Map<string, Sighting>();
    for (const sighting of strays) {
      const key = inodeKey(sighting);
      const other = chosen.get(key);
      if (other === undefined || sighting.path < other.path) chosen.set(key, sighting);
    }
    for (const [key, sighting] of chosen) {
      const generation = byInode.get(key);
      if (generation === undefined) newcomers.push(sighting);
      else if (!atHome.has(generation)) known.push({ generation, sighting });
    }
  }
  return {
    known,
    newcomers: newcomers.toSorted((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1)),
  };
}

/** What is compared of a generation. */
interface Followed {
  readonly status: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly readBytes: number;
  readonly file: unknown;
}

/** True when a file is as it was when it was last looked at, as far as can be told without reading it. */
export function isUnchanged(generation: Followed, { sizeBytes, modifiedMs }: Sighting): boolean {
  return generation.sizeBytes === sizeBytes && generation.modifiedMs === modifiedMs;
}

/** True when there is nothing to do about a file: of ten thousand idle ones, nearly all. */
export function isAsLeft(generation: Followed, sighting: Sighting): boolean {
  return (
    generation.status === "following" &&
    generation.path === sighting.path &&
    isUnchanged(generation, sighting) &&
    (generation.file !== undefined || generation.readBytes === sighting.sizeBytes)
  );
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
export function betweenGenerations(
  left: Pick<FileStat, "modifiedMs">,
  unknown: readonly Sighting[],
): readonly Sighting[] {
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

/** The path of the log that was rotated to this path. */
export function stemOf(path: string): string {
  return path.replace(rotatedSuffix, "");
}

/** True when two paths may be of one log: one is the other, with or without what rotation appends. */
export function isSameLog(a: string, b: string): boolean {
  const [stemA, stemB] = [stemOf(a), stemOf(b)];
  return stemA === stemB || a.startsWith(stemB) || b.startsWith(stemA);
}
