/**
 * Driver. What to do when a file no longer holds what was read from it: find the copy that keeps the rest.
 */
import { isStrong } from "./file-id.ts";
import { type FileStat, inodeKey, type OpenFile, type Sighting } from "./files.ts";
import type { Generation } from "./generation.ts";
import type { GenerationBook } from "./generation-book.ts";
import { orClose } from "./or-close.ts";
import { hasTrail, lookInto } from "./probe.ts";
import { isSameLog, stemOf } from "./rotation.ts";

/** Failures to open what may hold a generation's rest, after which it is given up. */
const failuresToGoOn = 5;

/** Carries out truncations. */
export class Replacements {
  readonly #book: GenerationBook;
  /** Candidates that could not be opened. */
  readonly #failures = new WeakMap<Generation, number>();

  constructor(book: GenerationBook) {
    this.#book = book;
  }

  /** As `replace`, for the file that the generation has open. */
  async replaceOpen(generation: Generation, newcomers: readonly Sighting[]): Promise<void> {
    const { path } = generation;
    const file = this.#book.detach(generation);
    if (file === undefined) return;
    await orClose(this.#book, file, () => this.replace(generation, { ...file.stat(), path }, file, newcomers));
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
      if (this.#book.isHeld(candidate) || candidate.sizeBytes === 0) continue;
      const file = await this.#openCandidate(generation, candidate.path);
      if (file === undefined) continue;
      if (await orClose(this.#book, file, () => this.#continueIn(generation, candidate, file))) {
        if (generation.status !== "ended") {
          generation.status = inPattern.has(candidate.path) ? "following" : "leaving";
        }
        return true;
      }
      await file.close();
    }
    return false;
  }

  /**
   * Opens what may hold a generation's rest. The host is out of handles when the log is truncated: whoever takes the copy
   * for no copy then loses what of the log was not stored when the agent dies. So the look comes again, a few times.
   * @throws {Error} the host's failure.
   */
  async #openCandidate(generation: Generation, path: string): Promise<OpenFile | undefined> {
    const opened = await this.#book.options.files.open(path);
    if (opened.ok) return opened.file;
    const { code, reason } = opened.fault;
    const failures = (this.#failures.get(generation) ?? 0) + 1;
    this.#failures.set(generation, failures);
    if (reason !== "other" || failures > failuresToGoOn) return undefined;
    throw Object.assign(new Error(`${code}: ${path} cannot be opened`), { code, syscall: "open" });
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

  /**
   * Finds a file that is out of the pattern and that nobody holds: it was renamed since, or it was there already when the
   * agent stopped. A copy was being read as `app.log.1`; the agent died, the next rotation made it `app.log.2`, and the
   * agent that comes back knows it as `app.log.1`.
   */
  async findMoved(generation: Generation): Promise<void> {
    const { files } = this.#book.options;
    const log = stemOf(generation.path);
    const beside = [...(await files.siblings(generation.path)), ...(await files.siblings(log))];
    for (const path of new Set([generation.path, ...beside])) {
      const [sibling] = this.#book.sight(path);
      if (sibling === undefined || inodeKey(sibling) !== inodeKey(generation)) continue;
      const file = await this.#openCandidate(generation, path);
      if (file === undefined) continue;
      const look = await orClose(this.#book, file, () => lookInto(file, generation.evidence()));
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

/**
 * True when a file that begins as the generation did is another one all the same: it was made since, or it has come back
 * with too little to be sure of it and the policy says so. A file of one byte, `[`, is read and deleted; its inode is
 * given to a new log, and the first line of that begins with `[`: whoever goes on after the first byte cuts it in two.
 */
export function isAnother(book: GenerationBook, generation: Generation, path: string, stat: FileStat): boolean {
  if (wasBornAgain(generation, stat)) return true;
  const isSameBirth = stat.bornMs > 0 && stat.bornMs === generation.bornMs;
  if (generation.status !== "missing" || isSameBirth || isStrong(generation.evidence())) return false;
  return book.ambiguous(path, generation.path) === "start";
}

/** True when the inode has been given to another file since. Not every file system keeps birth times. */
function wasBornAgain(generation: Generation, stat: FileStat): boolean {
  return generation.bornMs > 0 && stat.bornMs > 0 && generation.bornMs !== stat.bornMs;
}
