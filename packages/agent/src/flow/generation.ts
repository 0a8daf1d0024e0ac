/**
 * Driver. One generation: one life of one log file, from its first byte to its removal.
 *
 * Two positions: how far it was read, and how far it is settled (the low-water mark). Only the second is saved [C10].
 * Its handle, while there is one, keeps the file readable through renames and deletion, and keeps the inode from
 * being used again.
 */
import { type BytesHash, type Evidence, fingerprintMaxBytes, hashBytes, markerMaxBytes } from "./file-id.ts";
import type { FileStat, OpenFile } from "./files.ts";
import type { FramingState } from "./framing-rules.ts";
import { LowWaterMark } from "./low-water-mark.ts";
import type { SavedGeneration } from "./positions.ts";

/** Bytes read at once; its records point into it. */
export interface Chunk {
  readonly bytes: Buffer;
  /** Where in the file `bytes[0]` stands: up to `markerMaxBytes` before the first record. */
  readonly baseBytes: number;
  /** What it takes from the budget. */
  readonly heldBytes: number;
}

/** A stretch of the file on its way: a record that is being sent, or bytes that a rule left out. */
export interface PendingSpan {
  readonly generation: Generation;
  readonly chunk: Chunk;
  readonly startBytes: number;
  readonly endBytes: number;
  readonly framing: FramingState;
  /** True for the last span of its chunk. */
  readonly closesChunk: boolean;
  settled: boolean;
}

/**
 * - `following`: its path is in the flow's pattern.
 * - `leaving`: renamed away, deleted, or copied: it is read to its end and then closed.
 * - `missing`: not there, and no handle is left; its position waits for its return.
 * - `ended`: nothing more will be read.
 */
export type GenerationStatus = "following" | "leaving" | "missing" | "ended";

/** Turns that the trail goes back: more than pass between the end of a copy and the truncation after it. */
const trailTurns = 32;

export class Generation {
  readonly id: string;
  path: string;
  device: string;
  inode: string;
  bornMs: number;
  status: GenerationStatus = "following";
  file: OpenFile | undefined;
  /** Everything before it was framed and handed on. */
  readBytes: number;
  /** The bytes that end at `readBytes`; undefined after a restart, until they were read and compared. */
  before: Buffer | undefined;
  framing: FramingState;
  /** Size and time of change when last looked at. */
  sizeBytes: number;
  modifiedMs: number;
  /** When it last grew, on the system's clock. */
  grewAtMs: number;
  /** When it is looked at next, and how long after that, on the system's clock. */
  lookAtMs = 0;
  lookEveryMs = 0;
  /** The end of the file when it was last read without a whole record to show for it. */
  heldUpToBytes = -1;
  /** What is held there ends in a newline. */
  endsInNewline = false;
  /** Read after it: the generation that had the path before. */
  predecessor: Generation | undefined;
  /** Not saved before this one is settled: until then its bytes are this one's to send again after a crash. */
  savedAfter: Generation | undefined;
  /** Another file has its path now: its last line will not be completed. */
  isRetired = false;
  /** Since when it has been missing, milliseconds since 1970. */
  missingSinceMs = 0;
  /** Set once what it lost has been counted. */
  lossReported = false;
  /** The row in the store is older than this. */
  isDirty = true;
  readonly mark: LowWaterMark<PendingSpan>;
  /** Where its last turns ended, with the bytes before: a copy that ends a little earlier is recognised by them. */
  readonly trail: { readonly positionBytes: number; readonly marker: BytesHash }[] = [];
  #head: Buffer | undefined;
  #fingerprint: BytesHash;
  #marker: BytesHash;
  #markedFraming: FramingState;
  /** The span the mark passed last, while its chunk is still held. */
  #lastPassed: PendingSpan | undefined;

  /** `onChunkDone` gets each chunk once the mark is past it. */
  constructor(saved: SavedGeneration, nowMs: number, onChunkDone: (chunk: Chunk) => void) {
    this.id = saved.id;
    this.path = saved.path;
    this.device = saved.device;
    this.inode = saved.inode;
    this.bornMs = saved.bornMs;
    this.readBytes = saved.positionBytes;
    this.framing = saved.framing;
    this.sizeBytes = saved.sizeBytes;
    this.modifiedMs = saved.modifiedMs;
    this.grewAtMs = nowMs;
    this.#fingerprint = saved.fingerprint;
    this.#marker = saved.marker;
    this.#markedFraming = saved.framing;
    if (saved.positionBytes === 0) this.before = Buffer.alloc(0);
    this.mark = new LowWaterMark(saved.positionBytes, (span) => {
      this.#lastPassed = span;
      if (!span.closesChunk) return;
      this.#captureMark();
      onChunkDone(span.chunk);
    });
  }

  /** What proves, at its read position, that a file is this one. */
  evidence(): Evidence {
    const marker = this.before === undefined ? this.#marker : hashBytes(this.before);
    return { fingerprint: this.fingerprint, positionBytes: this.readBytes, marker };
  }

  get fingerprint(): BytesHash {
    if (this.#head !== undefined && this.#head.length !== this.#fingerprint.lengthBytes) {
      this.#fingerprint = hashBytes(this.#head);
      if (this.#head.length >= fingerprintMaxBytes) this.#head = undefined;
    }
    return this.#fingerprint;
  }

  /** Takes the first bytes of the file, once they are known to be this generation's; those that were read count. */
  adoptHead(head: Buffer): void {
    if (this.#fingerprint.lengthBytes >= fingerprintMaxBytes) return;
    this.#head = Buffer.from(head.subarray(0, Math.min(fingerprintMaxBytes, this.readBytes)));
  }

  /** Takes the identity of the file it is bound to now. */
  adoptStat(stat: FileStat, path: string): void {
    this.path = path;
    this.device = stat.device;
    this.inode = stat.inode;
    this.bornMs = stat.bornMs;
    this.sizeBytes = stat.sizeBytes;
    this.modifiedMs = stat.modifiedMs;
    this.isDirty = true;
  }

  /** Remembers what was read: the head while the fingerprint grows, and the bytes before the read position. */
  advance(bytes: Buffer, baseBytes: number, readBytes: number, framing: FramingState): void {
    const covered = this.#head?.length ?? this.#fingerprint.lengthBytes;
    const isGrowing = this.#head !== undefined || covered === 0;
    if (isGrowing && covered < fingerprintMaxBytes && baseBytes <= covered && readBytes > covered) {
      const end = Math.min(fingerprintMaxBytes, readBytes) - baseBytes;
      this.#head = Buffer.concat([this.#head ?? Buffer.alloc(0), bytes.subarray(covered - baseBytes, end)]);
    }
    const end = readBytes - baseBytes;
    this.before = Buffer.from(bytes.subarray(Math.max(0, end - markerMaxBytes), end));
    this.readBytes = readBytes;
    this.framing = framing;
    this.trail.push({ positionBytes: readBytes, marker: hashBytes(this.before) });
    if (this.trail.length > trailTurns) this.trail.shift();
  }

  /** Settles a span. True when the low-water mark moved. */
  settle(span: PendingSpan): boolean {
    if (!this.mark.settle(span)) return false;
    this.isDirty = true;
    return true;
  }

  /** Computes the marker of the low-water mark while the chunk it stands in is held. */
  #captureMark(): void {
    const span = this.#lastPassed;
    if (span === undefined) return;
    const end = span.endBytes - span.chunk.baseBytes;
    this.#marker = hashBytes(span.chunk.bytes.subarray(Math.max(0, end - markerMaxBytes), end));
    this.#markedFraming = span.framing;
    this.#lastPassed = undefined;
  }

  /** The row to save: never past the low-water mark [C10]. */
  toSaved(wallNowMs: number): SavedGeneration {
    this.#captureMark();
    return {
      id: this.id,
      path: this.path,
      device: this.device,
      inode: this.inode,
      bornMs: this.bornMs,
      fingerprint: this.fingerprint,
      positionBytes: this.mark.positionBytes,
      marker: this.#marker,
      framing: this.#markedFraming,
      sizeBytes: this.sizeBytes,
      modifiedMs: this.modifiedMs,
      isMissing: this.status === "missing",
      updatedMs: wallNowMs,
    };
  }
}

/** The generation that a row of the store tells of, as it stood when the row was written. */
export function restoreGeneration(
  row: SavedGeneration,
  nowMs: number,
  onChunkDone: (chunk: Chunk) => void,
): Generation {
  const generation = new Generation(row, nowMs, onChunkDone);
  generation.isDirty = false;
  // A file that left was read to its end and let go, and the agent died before all of it was stored: it is looked for.
  const isDone = row.isMissing && row.positionBytes >= row.sizeBytes;
  generation.status = isDone ? "missing" : "following";
  generation.lossReported = isDone;
  generation.missingSinceMs = row.updatedMs;
  return generation;
}
