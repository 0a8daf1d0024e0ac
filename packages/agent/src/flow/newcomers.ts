/**
 * Driver. What a file is that no generation is bound to: new, a continuation, or a copy that precedes a truncation.
 */
import { EmptyFiles } from "./empty-files.ts";
import { isStrong } from "./file-id.ts";
import { inodeKey, type OpenFile, type Sighting } from "./files.ts";
import type { Generation } from "./generation.ts";
import type { GenerationBook } from "./generation-book.ts";
import { haveSameBytes, lookInto } from "./probe.ts";
import { betweenGenerations, isRotatedName, stepSuspicion } from "./rotation.ts";
import { orClose } from "./or-close.ts";
import { isSystemError } from "./system-error.ts";

/** Explains new files. */
export class Newcomers {
  readonly #book: GenerationBook;
  readonly #empty = new EmptyFiles();

  constructor(book: GenerationBook) {
    this.#book = book;
  }

  /**
   * A file that no generation is bound to. False when it cannot be read now: it is reported, and the next scan comes
   * back to it.
   */
  async welcome(
    sighting: Sighting,
    predecessor: Generation | undefined,
    gone: ReadonlySet<Generation>,
  ): Promise<boolean> {
    const key = inodeKey(sighting);
    if (sighting.sizeBytes === 0 && this.#empty.isHeld(key)) return true;
    const file = this.#empty.take(key) ?? (await this.#book.openFile(sighting.path));
    if (file === undefined) {
      await this.#followMoved(sighting);
      return true;
    }
    const stat = file.stat();
    if (inodeKey(stat) !== key) {
      await file.close();
      await this.#followMoved(sighting);
      return true;
    }
    if (stat.sizeBytes === 0) {
      // An empty file says nothing about itself: it may be a copy that has just been begun.
      if (!this.#empty.hold(sighting.path, file)) await file.close();
      return true;
    }
    try {
      await this.#take(sighting, file, predecessor, gone);
      return true;
    } catch (error) {
      // Neither explained nor followed. The next scan goes on with the handle: by then the path may lead elsewhere.
      const isFollowed = this.#book.byInode.get(key)?.file === file;
      if (!isFollowed && !this.#empty.hold(sighting.path, file)) await file.close();
      if (!isSystemError(error)) throw error;
      this.#book.fault(sighting.path, error.code);
      return false;
    }
  }

  /** A file that was rotated out of the pattern between the look and the opening: seen, and known to nobody [C9]. */
  async #followMoved(sighting: Sighting): Promise<void> {
    const { files } = this.#book.options;
    const key = inodeKey(sighting);
    for (const path of await files.siblings(sighting.path)) {
      if (!this.#book.sight(path).some((sibling) => inodeKey(sibling) === key) || this.#book.byInode.has(key)) continue;
      const file = await this.#book.openFile(path);
      if (file === undefined || inodeKey(file.stat()) !== key) {
        await file?.close();
        continue;
      }
      const because = this.#book.isKnown ? "new" : "first-start";
      const generation = await this.#book.begin({ ...file.stat(), path }, file, { because });
      generation.status = "leaving";
    }
  }

  async #take(
    sighting: Sighting,
    file: OpenFile,
    predecessor: Generation | undefined,
    gone: ReadonlySet<Generation>,
  ): Promise<void> {
    const judged = await this.#explain(sighting, file, gone);
    if (judged === "known") return;
    if (judged === "held") {
      await file.close();
      return;
    }
    const because = this.#book.isKnown ? "new" : "first-start";
    const startBytes = judged === "end" ? file.stat().sizeBytes : undefined;
    await this.#book.begin({ ...file.stat(), path: sighting.path }, file, { predecessor, because, startBytes });
  }

  /**
   * Follows files that were seen while they were empty and have left the pattern since, by the handles that were kept.
   * Gives each with the path it had.
   */
  async adoptVanished(sightings: readonly Sighting[]): Promise<ReadonlyMap<string, Generation>> {
    const adopted = new Map<string, Generation>();
    for (const { path, file } of this.#empty.takeMissing(sightings)) {
      try {
        const generation = await this.#book.begin({ ...file.stat(), path }, file, { because: "new" });
        generation.status = "leaving";
        adopted.set(path, generation);
      } catch (error) {
        // Nothing but this handle leads to its lines: the next scan tries again.
        if (!isSystemError(error) || !this.#empty.hold(path, file)) throw error;
        this.#book.fault(path, error.code);
      }
    }
    return adopted;
  }

  /** Closes the handles of empty files. */
  close(): Promise<void> {
    return this.#empty.close();
  }

  /**
   * Takes up generations that had the path after `generation` and were renamed out of the pattern before anybody
   * looked. Only names that rotation gives are taken: `app.log.1`, never `app.log.errors`.
   */
  async adoptBetween(path: string, generation: Generation, sightings: readonly Sighting[]): Promise<void> {
    // After a restart there is no handle, and the row tells when the file was last written as far as it was seen.
    const left = generation.file?.stat() ?? generation;
    const inPattern = new Set(sightings.map(inodeKey));
    const siblings = (await this.#book.options.files.siblings(path)).filter((name) => isRotatedName(name, path));
    const unknown = siblings
      .flatMap((name) => this.#book.sight(name))
      .filter((sibling) => !this.#book.isHeld(sibling) && !inPattern.has(inodeKey(sibling)));
    for (const sighting of betweenGenerations(left, unknown)) {
      const file = await this.#book.openFile(sighting.path);
      if (file === undefined) continue;
      await orClose(this.#book, file, async () => {
        if (await this.#isLikeAnother(file)) await file.close();
        else (await this.#book.begin(sighting, file, { predecessor: generation, because: "new" })).status = "leaving";
      });
    }
  }

  /** True when the file begins with what a followed file begins with: a copy, and its original has been read. */
  async #isLikeAnother(file: OpenFile): Promise<boolean> {
    for (const generation of this.#book.generations.values()) {
      if (generation.fingerprint.lengthBytes === 0) continue;
      if ((await lookInto(file, generation.evidence())).verdict !== "different") return true;
    }
    return false;
  }

  /** Explains a file by a generation whose own file is gone, or holds it back while it may be a copy. */
  async #explain(
    sighting: Sighting,
    file: OpenFile,
    gone: ReadonlySet<Generation>,
  ): Promise<"known" | "held" | "start" | "end"> {
    for (const generation of gone) {
      if (generation.fingerprint.lengthBytes === 0 || generation.status === "ended") continue;
      // The handle of a deleted file gives its rest, unless the path was replaced by a file with the same beginning.
      if (generation.file !== undefined && generation.path !== sighting.path) continue;
      const evidence = generation.evidence();
      const look = await lookInto(file, evidence);
      if (look.verdict !== "same") continue;
      if (!isStrong(evidence)) return this.#book.ambiguous(sighting.path, generation.path);
      await this.#book.close(generation);
      this.#book.rotated(generation, "replaced", sighting.path);
      this.#book.bind(generation, file, sighting.path, look.head, look.before);
      generation.status = "following";
      return "known";
    }
    return this.#book.isKnown ? this.#suspect(sighting, file) : "start";
  }

  /** Holds a file back while it may be the copy that precedes a truncation. */
  async #suspect(sighting: Sighting, file: OpenFile): Promise<"held" | "start" | "end"> {
    const { rotateWaitMs, system } = this.#book.options;
    const key = inodeKey(sighting);
    const like = await this.#likeFollowed(sighting, file);
    if (like === undefined) {
      this.#book.suspects.delete(key);
      return "start";
    }
    const nowMs = system.now();
    const known = this.#book.suspects.get(key);
    if (known === undefined) {
      this.#book.suspects.set(key, { sizeBytes: sighting.sizeBytes, grewAtMs: nowMs });
      return "held";
    }
    const step = stepSuspicion(known, { sizeBytes: sighting.sizeBytes, nowMs, waitMs: rotateWaitMs });
    this.#book.suspects.set(key, step.suspicion);
    if (!step.release) return "held";
    this.#book.suspects.delete(key);
    return this.#book.ambiguous(sighting.path, like.path);
  }

  /** The followed file that still stands at its path and that this one has been a prefix or a copy of so far. */
  async #likeFollowed(sighting: Sighting, file: OpenFile): Promise<Generation | undefined> {
    for (const generation of this.#book.generations.values()) {
      const original = generation.file;
      if (original === undefined || generation.status !== "following" || generation.path === sighting.path) continue;
      const { sizeBytes } = file.stat();
      if (original.stat().sizeBytes < Math.min(sizeBytes, generation.readBytes)) continue;
      const commonBytes = Math.min(sizeBytes, original.stat().sizeBytes);
      if (await haveSameBytes(file, original, commonBytes)) return generation;
    }
    return undefined;
  }

  /** Forgets suspects that are gone. */
  dropStaleSuspects(sightings: readonly Sighting[]): void {
    if (this.#book.suspects.size === 0) return;
    const present = new Set(sightings.map(inodeKey));
    for (const key of this.#book.suspects.keys()) if (!present.has(key)) this.#book.suspects.delete(key);
  }
}
