/**
 * Pure. Which files a flow takes over from another agent's checkpoints, and where each begins.
 *
 * The Kinesis Agent reads the generations of a log one after the other, oldest first, and keeps one checkpoint per path
 * it had one under. A file with a checkpoint goes on there. Of the others, those written before the newest checkpoint's
 * file were done with; those written after it were waiting, and are read from their start.
 * Source: the schema that the Kinesis Agent 2.0.13 creates, and the order in which it is documented to read files.
 */
import { inodeKey, type Sighting } from "./files.ts";
import { isSameLog } from "./rotation.ts";

/** How far another agent says that it has sent a file. */
export interface ForeignCheckpoint {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** Size and time of change when it was saved; milliseconds since 1970. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Everything before it was sent. */
  readonly positionBytes: number;
  readonly savedMs: number;
}

/** A file that is not read from its start. */
export type TakenFile = Omit<Sighting, "linkCount"> & { readonly positionBytes: number };

/** Clocks of file systems tick more coarsely than that of the database. */
const clockSlackMs = 1_000;

/** The files that begin elsewhere than at their start; every other file of the flow is new. */
export function planTakeover(
  checkpoints: readonly ForeignCheckpoint[],
  sightings: readonly Sighting[],
): readonly TakenFile[] {
  const newestFirst = checkpoints.toSorted((a, b) => b.savedMs - a.savedMs);
  const [newest] = newestFirst;
  if (newest === undefined) return [];
  const latest = new Map<string, ForeignCheckpoint>();
  for (const checkpoint of newestFirst) {
    if (!latest.has(inodeKey(checkpoint))) latest.set(inodeKey(checkpoint), checkpoint);
  }
  const explained = new Set<Sighting>();
  const taken: TakenFile[] = [];
  for (const checkpoint of latest.values()) {
    const sighting = sightings.find((each) => !explained.has(each) && isFileOf(each, checkpoint));
    if (sighting !== undefined) explained.add(sighting);
    const file = placeOf(checkpoint, sighting, sightings, checkpoint === newest);
    if (file === undefined) continue;
    const copy = sightings.find((each) => each.path === file.path && inodeKey(each) === inodeKey(file));
    if (copy !== undefined) explained.add(copy);
    taken.push(file);
  }
  for (const sighting of sightings) {
    if (explained.has(sighting) || !wasDoneBefore(sighting, newest)) continue;
    taken.push({ ...sighting, positionBytes: sighting.sizeBytes });
  }
  return taken;
}

/** Where the bytes after a checkpoint are now; undefined where none are known of. */
function placeOf(
  checkpoint: ForeignCheckpoint,
  sighting: Sighting | undefined,
  sightings: readonly Sighting[],
  isNewest: boolean,
): TakenFile | undefined {
  const { modifiedMs, positionBytes, sizeBytes } = checkpoint;
  if (sighting !== undefined && sighting.sizeBytes >= positionBytes) return { ...sighting, positionBytes };
  // Emptied by a copy and a truncation while nobody looked: the oldest file that can be the copy has the rest.
  const [copy] = sightings
    .filter((each) => sighting !== undefined && each !== sighting && isSameLog(each.path, checkpoint.path))
    .filter((each) => each.sizeBytes >= positionBytes && each.modifiedMs >= modifiedMs)
    .toSorted((a, b) => a.modifiedMs - b.modifiedMs);
  if (copy !== undefined) return { ...copy, positionBytes };
  // Renamed out of the pattern, or gone with what it had: it is looked for as any file that left while nobody looked. The
  // size in an older checkpoint says whether there is something to look for; the newest one's file may have grown since.
  if (!isNewest && sizeBytes <= positionBytes && sighting === undefined) return undefined;
  // An inode that another file has by now: no birth time fits it, so that nothing of that file counts as sent.
  const isReused = sighting === undefined && sightings.some((each) => inodeKey(each) === inodeKey(checkpoint));
  return { ...checkpoint, bornMs: isReused ? 1 : 0 };
}

/** True when the file is the checkpoint's: by inode, unless it was made after the checkpoint was saved. */
function isFileOf(sighting: Sighting, { device, inode, path, savedMs }: ForeignCheckpoint): boolean {
  // Device numbers may change when the host restarts.
  const isSame = sighting.inode === inode && (sighting.device === device || sighting.path === path);
  return isSame && sighting.bornMs <= savedMs + clockSlackMs;
}

function wasDoneBefore(sighting: Sighting, newest: ForeignCheckpoint): boolean {
  if (sighting.modifiedMs !== newest.modifiedMs) return sighting.modifiedMs < newest.modifiedMs;
  // Of two files with the same time, the Kinesis Agent takes the smaller one for the newer.
  return sighting.sizeBytes >= newest.sizeBytes;
}
