/**
 * Driver. Files that were empty when they were seen, or could not be read, held open until they say what they are.
 *
 * A log is created empty; a scan sees it; it is filled and rotated out of the pattern; the next scan finds another file
 * at its path. Without the handle nobody would ever know of the lines in between [C9].
 */
import { inodeKey, type OpenFile, type Sighting } from "./files.ts";

/** Handles for files that may never be written; more than this many are looked at again instead. */
const maxHeldFiles = 256;

export class EmptyFiles {
  readonly #held = new Map<string, { readonly path: string; readonly file: OpenFile }>();

  /** Keeps the handle of a file; gives false where it is not kept, and the caller closes it. */
  hold(path: string, file: OpenFile): boolean {
    const key = inodeKey(file.stat());
    if (this.#held.has(key) || this.#held.size >= maxHeldFiles) return false;
    this.#held.set(key, { path, file });
    return true;
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** Gives the handle of a file away. */
  take(key: string): OpenFile | undefined {
    const held = this.#held.get(key);
    this.#held.delete(key);
    return held?.file;
  }

  /** Gives away the handles of all files that no path leads to any more. */
  takeMissing(sightings: readonly Sighting[]): { readonly path: string; readonly file: OpenFile }[] {
    const present = new Set(sightings.map(inodeKey));
    const missing = [...this.#held].filter(([key]) => !present.has(key));
    for (const [key] of missing) this.#held.delete(key);
    return missing.map(([, held]) => held);
  }

  async close(): Promise<void> {
    for (const { file } of this.#held.values()) await file.close();
    this.#held.clear();
  }
}
