/**
 * Driver. The generations of a flow: by id and by inode, how one begins and is bound to a file, and what is reported.
 */
import type { System } from "@millrace/core/runtime";
import type { AgentEvent, FlowCounters, FoundBecause, RotatedHow } from "../events.ts";
import { emptyHash, fingerprintMaxBytes, hashBytes, markerMaxBytes } from "./file-id.ts";
import { type FileSystem, inodeKey, type OpenFile, type Sighting } from "./files.ts";
import { initialFraming } from "./framing.ts";
import { type Chunk, Generation } from "./generation.ts";
import type { PositionStore } from "./positions.ts";
import { lastLineStart, readAt } from "./probe.ts";
import type { Suspicion } from "./rotation.ts";
import type { ForeignCheckpoint } from "./takeover-plan.ts";

/** What a flow's files are told apart by, and who is told. */
export interface BookOptions {
  readonly flow: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly initialPosition: "START_OF_FILE" | "END_OF_FILE";
  readonly headerLines: number;
  readonly maxRecordBytes: number;
  readonly onAmbiguousFile: "start" | "end" | "fail";
  readonly rotateWaitMs: number;
  readonly forgetAfterMs: number;
  readonly maxOpenFiles: number;
  readonly files: FileSystem;
  readonly store: PositionStore;
  /** Where another agent left off; asked for when the store does not know the flow. */
  readonly foreignCheckpoints: () => readonly ForeignCheckpoint[];
  readonly system: System;
  readonly counters: FlowCounters;
  readonly publish: (event: AgentEvent) => void;
  readonly onChunkDone: (chunk: Chunk) => void;
}

/** Thrown where `onAmbiguousFile` is `fail`: the flow stops, and its operator decides. */
export class AmbiguousFileError extends Error {
  override readonly name = "AmbiguousFileError";
  readonly code = "ERR_AMBIGUOUS_FILE";
}

/** Every generation of a flow. */
export class GenerationBook {
  readonly options: BookOptions;
  /** By id. */
  readonly generations = new Map<string, Generation>();
  /** Those whose file is open. Few of many: what is idle for long is closed. */
  readonly open = new Set<Generation>();
  /** By the inode of the file that each is bound to. */
  readonly byInode = new Map<string, Generation>();
  /** Files that begin like one that is being followed, by inode. */
  readonly suspects = new Map<string, Suspicion>();
  /** False until the flow's first scan ever is done. */
  isKnown = false;
  /** Paths that could not be opened, with the code that was reported. */
  readonly #unreadable = new Map<string, string>();

  constructor(options: BookOptions) {
    this.options = options;
  }

  /** The files under the flow's patterns. */
  async sightings(): Promise<Sighting[]> {
    const { include, exclude, files } = this.options;
    const paths = await files.find(include, exclude);
    return paths.flatMap((path) => this.sight(path));
  }

  /** The file at a path, or nothing. */
  sight(path: string): Sighting[] {
    const stated = this.options.files.stat(path);
    if (stated.ok) return [{ ...stated.stat, path }];
    if (stated.fault.reason !== "missing") this.fault(path, stated.fault.code);
    return [];
  }

  /** Begins a generation with the file that has been opened. */
  async begin(
    sighting: Sighting,
    file: OpenFile,
    how: {
      readonly because: FoundBecause;
      readonly predecessor?: Generation | undefined;
      /** Where it begins, where that is not for the rules to say. */
      readonly startBytes?: number | undefined;
    },
  ): Promise<Generation> {
    const { headerLines, initialPosition, maxRecordBytes, system, onChunkDone } = this.options;
    const stat = file.stat();
    const skips = how.because === "first-start" && initialPosition === "END_OF_FILE";
    const positionBytes = how.startBytes ?? (skips ? await lastLineStart(file, stat.sizeBytes, maxRecordBytes) : 0);
    const before = await readAt(
      file,
      Math.max(0, positionBytes - markerMaxBytes),
      Math.min(positionBytes, markerMaxBytes),
    );
    const head = await readAt(file, 0, Math.min(stat.sizeBytes, fingerprintMaxBytes));
    const generation = new Generation(
      {
        id: system.uuid(),
        path: sighting.path,
        device: stat.device,
        inode: stat.inode,
        bornMs: stat.bornMs,
        fingerprint: emptyHash,
        positionBytes,
        marker: hashBytes(before),
        // The head of a file that is not read from its beginning has passed already.
        framing: initialFraming(positionBytes === 0 ? headerLines : 0),
        sizeBytes: stat.sizeBytes,
        modifiedMs: stat.modifiedMs,
        isMissing: false,
        updatedMs: system.wallNow(),
      },
      system.now(),
      onChunkDone,
    );
    this.attach(generation, file);
    generation.before = before;
    generation.adoptHead(head);
    generation.predecessor = how.predecessor;
    this.generations.set(generation.id, generation);
    this.byInode.set(inodeKey(generation), generation);
    this.found(generation, how.because);
    return generation;
  }

  /** Binds a generation to the open file that it goes on in. */
  bind(generation: Generation, file: OpenFile, path: string, head: Buffer, before: Buffer): void {
    this.unbind(generation);
    this.attach(generation, file);
    generation.adoptStat(file.stat(), path);
    generation.adoptHead(head);
    generation.before = before;
    generation.lookAtMs = 0;
    generation.grewAtMs = this.options.system.now();
    this.byInode.set(inodeKey(generation), generation);
  }

  /** True when a generation holds the inode: that of a file that was let go may be given to the next copy of a log. */
  isHeld(stat: { readonly device: string; readonly inode: string }): boolean {
    return this.byInode.get(inodeKey(stat))?.file !== undefined;
  }

  /** Lets go of the inode, where it is this generation's. */
  unbind(generation: Generation): void {
    const key = inodeKey(generation);
    if (this.byInode.get(key) === generation) this.byInode.delete(key);
  }

  /** Lets go of files that have been gone for long: their names will not come back. */
  forgetOld(): void {
    const { forgetAfterMs, system } = this.options;
    const wallNowMs = system.wallNow();
    for (const generation of this.generations.values()) {
      if (generation.status !== "missing" || generation.mark.openSpans > 0) continue;
      if (wallNowMs - generation.missingSinceMs < forgetAfterMs) continue;
      generation.status = "ended";
      this.unbind(generation);
    }
  }

  /** A generation whose file was not found anywhere. */
  giveUp(generation: Generation): void {
    generation.status = "missing";
    generation.missingSinceMs = this.options.system.wallNow();
    this.rotated(generation, "missing");
    this.reportLoss(generation, "missing"); // And nobody looks for it after a restart.
    generation.sizeBytes = generation.readBytes;
  }

  /** Counts what a file that is gone held unread; once. */
  reportLoss(generation: Generation, because: "truncated" | "missing"): void {
    if (generation.lossReported) return;
    generation.lossReported = true;
    this.countLoss(generation.path, generation.sizeBytes - generation.readBytes, because);
  }

  /** Counts bytes that were seen and cannot be read [C9]. */
  countLoss(path: string, bytes: number, because: "truncated" | "missing"): void {
    if (bytes <= 0) return;
    const { counters, flow, publish } = this.options;
    counters.bytesPossiblyLost += bytes;
    publish({ type: "bytes-possibly-lost", flow, path, bytes, because });
  }

  /** Counts a file that could be two things. Gives what the policy takes it for. */
  ambiguous(path: string, like: string): "start" | "end" {
    const { counters, flow, onAmbiguousFile, publish } = this.options;
    counters.ambiguousFiles += 1;
    publish({ type: "ambiguous-file", flow, path, like, resolvedAs: onAmbiguousFile });
    if (onAmbiguousFile === "fail") {
      throw new AmbiguousFileError(`${path} may be a copy or a continuation of ${like}; onAmbiguousFile is "fail"`);
    }
    return onAmbiguousFile;
  }

  /** Reports that a file moved, and takes up its new path. */
  rotated(generation: Generation, how: RotatedHow, newPath?: string): void {
    const { flow, publish } = this.options;
    publish({ type: "file-rotated", flow, path: generation.path, generation: generation.id, how, newPath });
    if (newPath !== undefined) generation.path = newPath;
    generation.isDirty = true;
  }

  /** Reports a file that is followed from now on. */
  found(generation: Generation, because: FoundBecause): void {
    const { flow, publish } = this.options;
    const { id, path, readBytes } = generation;
    publish({ type: "file-found", flow, path, generation: id, positionBytes: readBytes, because });
  }

  /** Opens a path for reading; undefined when it cannot be, which has been reported then. */
  async openFile(path: string): Promise<OpenFile | undefined> {
    const opened = await this.options.files.open(path);
    if (opened.ok) {
      this.#unreadable.delete(path);
      return opened.file;
    }
    if (opened.fault.reason !== "missing") this.fault(path, opened.fault.code);
    return undefined;
  }

  /** Reports a path that cannot be read: once, until it can be. */
  fault(path: string, code: string): void {
    if (this.#unreadable.get(path) === code) return;
    this.#unreadable.set(path, code);
    this.options.publish({ type: "file-unreadable", flow: this.options.flow, path, code });
  }

  /** Gives a generation the handle that it reads by. */
  attach(generation: Generation, file: OpenFile): void {
    generation.file = file;
    this.open.add(generation);
  }

  /** Takes a generation's handle, for another's use. */
  detach(generation: Generation): OpenFile | undefined {
    const { file } = generation;
    generation.file = undefined;
    this.open.delete(generation);
    return file;
  }

  /** Closes a generation's handle. */
  async close(generation: Generation): Promise<void> {
    await this.detach(generation)?.close();
  }
}
