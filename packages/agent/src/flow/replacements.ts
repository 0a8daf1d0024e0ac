/**
 * Driver. What to do when a file no longer holds what was read from it: find the copy that keeps the rest.
 */
import { isStrong } from "./file-id.ts";
import { type FileStat, inodeKey, type OpenFile, type Sighting } from "./files.ts";
import type { Generation } from "./generation.ts";
import type { GenerationBook } from "./generation-book.ts";
import { hasTrail, lookInto } from "./probe.ts";
import { isSameLog } from "./rotation.ts";

/** Carries out truncations. */
export class Replacements {
  readonly #book: GenerationBook;

  constructor(book: GenerationBook) {
    this.#book = book;
  }

  /** As `replace`, for the file that the generation has open. */
  async replaceOpen(generation: Generation, newcomers: readonly Sighting[]): Promise<void> {
    const { path } = generation;
    const file = this.#book.detach(generation);
    if (file === undefined) return;
    await this.replace(generation, { ...file.stat(), path }, file, newcomers);
  }

  /** The file behind `stat` is no longer what `generation` read: looks for a copy, and begins a new generation. */
  async replace(
    generation: Generation,
    sighting: Sighting,
    file: OpenFile,
    newcomers: readonly Sighting[],
  ): Promise<void> {
    const isCopied = await this.lose(generation, newcomers);
    if (file.stat().sizeBytes === 0) await file.close();
    else await this.#book.begin(sighting, file, { predecessor: isCopied ? generation : undefined, because: "new" });
  }

  /** A generation's file holds other bytes now: goes on in a copy, or counts what was lost. True when there was one. */
  async lose(generation: Generation, newcomers: readonly Sighting[]): Promise<boolean> {
    const isCopied = await this.#findCopy(generation, newcomers);
    if (!isCopied) {
      this.#book.unbind(generation);
      this.#book.rotated(generation, "truncated");
      this.#book.reportLoss(generation, "truncated");
      generation.status = "ended";
      generation.isDirty = true;
    }
    return isCopied;
  }

  /** Binds a generation to a copy of its file, where there is one. */
  async #findCopy(generation: Generation, newcomers: readonly Sighting[]): Promise<boolean> {
    if (generation.fingerprint.lengthBytes === 0) return false;
    const inPattern = new Set(newcomers.map((sighting) => sighting.path));
    const siblings = await this.#book.options.files.siblings(generation.path);
    const others = siblings.filter((path) => !inPattern.has(path)).flatMap((path) => this.#book.sight(path));
    for (const candidate of [...newcomers, ...others]) {
      if (this.#book.byInode.has(inodeKey(candidate)) || candidate.sizeBytes === 0) continue;
      const file = await this.#book.openFile(candidate.path);
      if (file === undefined) continue;
      if (await this.#continueIn(generation, candidate, file)) {
        if (generation.status !== "ended") {
          generation.status = inPattern.has(candidate.path) ? "following" : "leaving";
        }
        return true;
      }
      await file.close();
    }
    return false;
  }

  /** Goes on reading a generation in a copy of its file. False when the file is no copy. */
  async #continueIn(generation: Generation, candidate: Sighting, file: OpenFile): Promise<boolean> {
    const evidence = generation.evidence();
    const look = await lookInto(file, evidence);
    if (look.verdict === "different") return false;
    if (!isStrong(evidence) && !isSameLog(candidate.path, generation.path)) return false;
    const unreadBytes = generation.sizeBytes - Math.max(look.sizeBytes, evidence.positionBytes);
    if (look.verdict === "shorter") {
      // The copy was finished before the last bytes that were read: nothing in it is unread.
      if (!(await hasTrail(generation, file, look.sizeBytes))) return false;
      this.#book.rotated(generation, "copied");
      this.#book.unbind(generation);
      generation.status = "ended";
      const copy = await this.#book.begin(candidate, file, { because: "new", startBytes: look.sizeBytes });
      copy.savedAfter = generation;
    } else {
      this.#book.rotated(generation, "copied", candidate.path);
      this.#book.bind(generation, file, candidate.path, look.head, look.before);
      generation.isRetired = true;
    }
    this.#book.suspects.delete(inodeKey(candidate));
    this.#book.countLoss(candidate.path, unreadBytes, "truncated");
    return true;
  }

  /** Finds a file that was renamed out of the pattern while nobody held it: the new name begins with the old one. */
  async findMoved(generation: Generation): Promise<void> {
    for (const path of await this.#book.options.files.siblings(generation.path)) {
      const [sibling] = this.#book.sight(path);
      if (sibling === undefined || inodeKey(sibling) !== inodeKey(generation)) continue;
      const file = await this.#book.openFile(path);
      if (file === undefined) continue;
      const look = await lookInto(file, generation.evidence());
      if (look.verdict !== "same" || wasBornAgain(generation, file.stat())) {
        await file.close();
        continue;
      }
      this.#book.rotated(generation, "moved-away", path);
      this.#book.bind(generation, file, path, look.head, look.before);
      generation.status = "leaving";
      return;
    }
  }
}

/** True when the inode has been given to another file since. Not every file system keeps birth times. */
export function wasBornAgain(generation: Generation, stat: FileStat): boolean {
  return generation.bornMs > 0 && stat.bornMs > 0 && generation.bornMs !== stat.bornMs;
}
