/**
 * Driver. Reads from an open file what its evidence is held against.
 */
import { type Evidence, fingerprintMaxBytes, hashBytes, judge, markerMaxBytes, type Verdict } from "./file-id.ts";
import type { OpenFile } from "./files.ts";
import type { Generation } from "./generation.ts";

/** What a look into a file gave. */
export interface Look {
  readonly verdict: Verdict;
  readonly sizeBytes: number;
  /** The file's first bytes, up to a whole fingerprint. */
  readonly head: Buffer;
  /** The bytes that end at the evidence's position. */
  readonly before: Buffer;
}

/** Holds an open file against the evidence of a generation. */
export async function lookInto(file: OpenFile, evidence: Evidence): Promise<Look> {
  const { sizeBytes } = file.stat();
  const head = await readAt(file, 0, Math.min(sizeBytes, fingerprintMaxBytes));
  const { positionBytes, marker } = evidence;
  const before =
    sizeBytes < positionBytes
      ? Buffer.alloc(0)
      : await readAt(file, positionBytes - marker.lengthBytes, marker.lengthBytes);
  return { verdict: judge(evidence, { sizeBytes, head, beforePosition: before }), sizeBytes, head, before };
}

/** Up to `lengthBytes` from `positionBytes` on. */
export async function readAt(file: OpenFile, positionBytes: number, lengthBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(lengthBytes);
  const readBytes = lengthBytes === 0 ? 0 : await file.read(buffer, positionBytes);
  return buffer.subarray(0, readBytes);
}

/** Where the last line begins that the file's end does not complete: its size where it ends in a newline. */
export async function lastLineStart(file: OpenFile, sizeBytes: number, maxLineBytes: number): Promise<number> {
  const blockBytes = 65_536;
  const least = Math.max(0, sizeBytes - maxLineBytes);
  for (let end = sizeBytes; end > least;) {
    const start = Math.max(least, end - blockBytes);
    const block = await readAt(file, start, end - start);
    const at = block.lastIndexOf(10);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return least === 0 ? 0 : sizeBytes;
}

/** True when two open files begin with the same bytes and have the same bytes before `sizeBytes`. */
export async function haveSameBytes(a: OpenFile, b: OpenFile, sizeBytes: number): Promise<boolean> {
  const headBytes = Math.min(sizeBytes, fingerprintMaxBytes);
  const tailBytes = Math.min(sizeBytes, markerMaxBytes);
  const [headA, headB, tailA, tailB] = await Promise.all([
    readAt(a, 0, headBytes),
    readAt(b, 0, headBytes),
    readAt(a, sizeBytes - tailBytes, tailBytes),
    readAt(b, sizeBytes - tailBytes, tailBytes),
  ]);
  return headA.length === headBytes && headA.equals(headB) && tailA.equals(tailB);
}

/** True when a file of `sizeBytes` holds the bytes before one of the places where the generation's last turns ended. */
export async function hasTrail(generation: Generation, file: OpenFile, sizeBytes: number): Promise<boolean> {
  for (const { positionBytes, marker } of generation.trail.toReversed()) {
    if (positionBytes > sizeBytes) continue;
    const before = await readAt(file, positionBytes - marker.lengthBytes, marker.lengthBytes);
    return hashBytes(before).digest === marker.digest;
  }
  return false;
}

/** True when the file still begins with what was read of the generation, and has the same bytes before its position. */
export async function isStill(generation: Generation, file: OpenFile): Promise<boolean> {
  return (await lookInto(file, generation.evidence())).verdict === "same";
}
