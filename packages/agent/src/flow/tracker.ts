/**
 * Driver. Which files belong to a flow, and which generation each of them is.
 *
 * A scan lists the files, joins them with the generations it knows by inode, and explains what is left: a path that is
 * new, a file that went away, contents that are no longer the ones that were read.
 */
import { inodeKey, type Sighting } from "./files.ts";
import { type Generation, restoreGeneration } from "./generation.ts";
import { type BookOptions, GenerationBook } from "./generation-book.ts";
import { Newcomers } from "./newcomers.ts";
import { orClose } from "./or-close.ts";
import { isStill, lookInto } from "./probe.ts";
import { isAnother, Replacements } from "./replacements.ts";
import { isAsLeft, isUnchanged, joinSightings } from "./rotation.ts";
import { takeOver } from "./take-over.ts";
import type { ForeignCheckpoint } from "./takeover-plan.ts";

/** Follows the files of one flow. */
export class Tracker {
  readonly #book: GenerationBook;
  readonly #newcomers: Newcomers;
  readonly #replacements: Replacements;
  /** Rows to remove at the next save. */
  readonly #removedIds: string[] = [];
  /** The store knows that the flow has been started before. */
  #isKnownInStore = false;
  #foreign: readonly ForeignCheckpoint[] = [];

  constructor(options: BookOptions) {
    this.#book = new GenerationBook(options);
    this.#newcomers = new Newcomers(this.#book);
    this.#replacements = new Replacements(this.#book);
  }

  /** Every generation that is not settled and forgotten. */
  get generations(): Iterable<Generation> {
    return this.#book.generations.values();
  }

  /** Generations whose file is open: only these can give something without a scan. */
  get open(): Iterable<Generation> {
    return this.#book.open;
  }

  /** How many generations there are. */
  get count(): number {
    return this.#book.generations.size;
  }

  /** Files that are held back until it is clear whether they are copies. */
  get suspectCount(): number {
    return this.#book.suspects.size;
  }

  /** Takes up the saved positions. Called once, before the first scan. */
  load(): void {
    const { flow, foreignCheckpoints, store, system, onChunkDone } = this.#book.options;
    const saved = store.load(flow);
    this.#book.isKnown = saved.isKnown;
    this.#isKnownInStore = saved.isKnown;
    if (!saved.isKnown) this.#foreign = foreignCheckpoints();
    for (const row of saved.generations) {
      const generation = restoreGeneration(row, system.now(), onChunkDone);
      this.#book.generations.set(generation.id, generation);
      // Of two rows with one inode, the later one describes what is there.
      this.#book.byInode.set(inodeKey(generation), generation);
    }
  }

  /** Looks at every path of the flow. */
  async scan(): Promise<void> {
    const sightings = await this.#book.sightings();
    if (this.#foreign.length > 0 && !this.#book.isKnown) takeOver(this.#book, this.#foreign, sightings);
    const { known, newcomers } = joinSightings(this.#book.byInode, sightings);
    const seen = new Set<Generation>();
    const left = new Map<string, Generation>();
    for (const { generation, sighting } of known) {
      seen.add(generation);
      if (isAsLeft(generation, sighting)) continue;
      const pathBefore = generation.path;
      await this.#meet(generation, sighting, newcomers);
      if (generation.path !== pathBefore) left.set(pathBefore, generation);
    }
    for (const [path, generation] of await this.#newcomers.adoptVanished(sightings)) left.set(path, generation);
    for (const [path, generation] of left)
      if (sightings.some((other) => other.path === path)) generation.isRetired = true;
    const gone = new Set<Generation>();
    for (const generation of this.#book.generations.values()) {
      if (seen.has(generation) || generation.status === "ended") continue;
      const pathBefore = generation.path;
      if (generation.status !== "missing") await this.#miss(generation);
      if (generation.file === undefined || generation.file.stat().linkCount === 0) gone.add(generation);
      if (generation.file !== undefined || generation.status === "following") left.set(pathBefore, generation);
    }
    for (const [path, generation] of left) await this.#newcomers.adoptBetween(path, generation, sightings);
    // A file that cannot be read may be the rest of one that is gone: nothing is given up while there is one.
    let isExplained = true;
    for (const sighting of newcomers) {
      if (this.#book.byInode.has(inodeKey(sighting))) continue;
      if (!(await this.#newcomers.welcome(sighting, left.get(sighting.path), gone))) isExplained = false;
    }
    for (const generation of isExplained ? gone : []) {
      if (generation.file === undefined && generation.status === "following") this.#book.giveUp(generation);
    }
    this.#newcomers.dropStaleSuspects(sightings);
    this.#book.forgetOld();
    this.#book.isKnown = true;
  }

  /**
   * Takes up that the file behind a generation's handle is no longer the one that was read: it was emptied, or emptied
   * and filled again. Its unread rest is looked for in a copy; what stands in the file now is a new generation.
   */
  async truncated(generation: Generation): Promise<void> {
    const sightings = await this.#book.sightings();
    const { newcomers } = joinSightings(this.#book.byInode, sightings);
    await this.#replacements.replaceOpen(generation, newcomers);
  }

  /** Takes up that a file was cut behind the position: a line that was being written was taken back. */
  shrunk(generation: Generation, sizeBytes: number): void {
    generation.heldUpToBytes = -1;
    this.#book.countLoss(generation.path, generation.sizeBytes - sizeBytes, "truncated");
  }

  /** Ends a generation whose file will give nothing more; its row goes once everything is settled. */
  async finish(generation: Generation): Promise<void> {
    const { flow, publish } = this.#book.options;
    const isDeleted = generation.file?.stat().linkCount === 0;
    await this.#book.close(generation);
    if (isDeleted || generation.status === "ended") {
      generation.status = "ended";
      this.#book.unbind(generation);
      publish({ type: "file-finished", flow, path: generation.path, generation: generation.id });
    } else {
      // It may come back into the pattern, and must not be read again then.
      generation.status = "missing";
      generation.missingSinceMs = this.#book.options.system.wallNow();
    }
    generation.isDirty = true;
  }

  /** Closes handles of files that have nothing to read, least recently grown first, down to `maxOpenFiles`. */
  async closeIdle(): Promise<void> {
    const { open } = this.#book;
    let excess = open.size - this.#book.options.maxOpenFiles;
    if (excess <= 0) return;
    for (const generation of [...open].toSorted((a, b) => a.grewAtMs - b.grewAtMs)) {
      if (excess <= 0) return;
      if (generation.status !== "following" || generation.readBytes < generation.sizeBytes) continue;
      await this.#book.close(generation);
      excess -= 1;
    }
  }

  /** Writes what has changed. Throws when the store cannot. */
  save(): void {
    const { flow, store, system } = this.#book.options;
    const dirty: Generation[] = [];
    for (const generation of this.#book.generations.values()) {
      if (generation.status === "ended" && generation.mark.openSpans === 0) {
        this.#book.generations.delete(generation.id);
        this.#removedIds.push(generation.id);
      } else if (generation.isDirty && (generation.savedAfter?.mark.openSpans ?? 0) === 0) dirty.push(generation);
    }
    const isNews = this.#book.isKnown && !this.#isKnownInStore;
    if (dirty.length === 0 && this.#removedIds.length === 0 && !isNews) return;
    // Before the first scan is done, the flow must stay unknown: initialPosition is for every file of that scan.
    if (!this.#book.isKnown) return;
    const rows = dirty.map((generation) => generation.toSaved(system.wallNow()));
    store.save(flow, rows, this.#removedIds);
    this.#isKnownInStore = true;
    for (const generation of dirty) generation.isDirty = false;
    this.#removedIds.length = 0;
  }

  /** Closes every handle. */
  async close(): Promise<void> {
    await this.#newcomers.close();
    for (const generation of this.#book.generations.values()) await this.#book.close(generation);
  }

  /** Reports a path that cannot be read: once, until it can be. */
  fault(path: string, code: string): void {
    this.#book.fault(path, code);
  }

  /** A file of a generation that is known by its inode. */
  async #meet(generation: Generation, sighting: Sighting, newcomers: Sighting[]): Promise<void> {
    if (generation.file === undefined) {
      if (!isUnchanged(generation, sighting) || generation.readBytes !== sighting.sizeBytes) {
        await this.#reopen(generation, sighting, newcomers);
        return;
      }
    } else if (!isUnchanged(generation, sighting)) {
      // Looked into before the new files are: the copy that explains a truncation must not be taken for a new file.
      if (!(await isStill(generation, generation.file))) {
        this.#follow(generation, sighting.path);
        await this.#replacements.replaceOpen(generation, newcomers);
        return;
      }
      generation.lookAtMs = 0;
    }
    this.#follow(generation, sighting.path);
  }

  #follow(generation: Generation, path: string): void {
    if (generation.path !== path) this.#book.rotated(generation, "renamed", path);
    if (generation.status !== "following") generation.isDirty = true;
    generation.status = "following";
  }

  /** Opens a file again and makes sure that it is still the one that was read. */
  async #reopen(generation: Generation, sighting: Sighting, newcomers: Sighting[]): Promise<void> {
    const file = await this.#book.openFile(sighting.path);
    if (file === undefined) return;
    const stat = file.stat();
    // The path was rotated between the look and the opening: the next scan sees what is there.
    if (inodeKey(stat) !== inodeKey(sighting)) return file.close();
    const look = await orClose(this.#book, file, () => lookInto(file, generation.evidence()));
    if (look.verdict !== "same" || isAnother(this.#book, generation, sighting.path, stat)) {
      // Another file under the inode, or the same one emptied: it is explained with the other new files.
      await file.close();
      await this.#replacements.lose(generation, newcomers);
      newcomers.push(sighting);
      return;
    }
    this.#book.bind(generation, file, sighting.path, look.head, look.before);
    if (generation.status === "missing") this.#book.found(generation, "returned");
    this.#follow(generation, sighting.path);
  }

  /** A generation that no path of the flow leads to. */
  async #miss(generation: Generation): Promise<void> {
    const stat = generation.file?.stat();
    if (stat !== undefined) {
      generation.sizeBytes = Math.max(generation.sizeBytes, stat.sizeBytes);
      const how = stat.linkCount === 0 ? "deleted" : "moved-away";
      if (generation.status === "following") {
        generation.status = "leaving";
        generation.grewAtMs = this.#book.options.system.now();
        this.#book.rotated(generation, how);
      }
      return;
    }
    await this.#replacements.findMoved(generation);
  }
}
