/**
 * Adapter. The files under a flow's patterns.
 *
 * Most flows watch one directory in which nothing comes or goes for hours, and listing ten thousand names each second
 * is most of an idle agent's work. So a listing is kept while its directory says that it has not changed.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import picomatch from "picomatch";
import { escapePath, glob } from "tinyglobby";

/** A directory's names, and what the directory said of itself when they were read. */
interface Listing {
  readonly changedNs: bigint;
  readonly inode: bigint;
  readonly listedMs: number;
  readonly names: readonly string[];
}

/**
 * A change within one tick of the file system's clock leaves the directory's time as it was: a listing is trusted once
 * the directory had been still for this long. Source: FAT keeps times to 2 s, the coarsest that can be mounted.
 */
const stillMs = 3_000;
/** Some network and user-space file systems do not keep a directory's time: no listing is trusted for longer. */
const trustedMs = 60_000;

/** Finds files, again and again. An array that it gives is the one it gave before while nothing has changed. */
export class FileFinder {
  readonly #wallNow: () => number;
  readonly #listings = new Map<string, Listing>();
  readonly #matches = new Map<string, { readonly of: Listing | undefined; readonly paths: readonly string[] }>();
  readonly #found = new Map<
    string,
    { readonly of: readonly (readonly string[])[]; readonly paths: readonly string[] }
  >();

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
  }

  /**
   * Absolute paths of the files that `include` matches and `exclude` does not, in order.
   * @throws the system's error for a directory that cannot be listed.
   */
  async find(include: readonly string[], exclude: readonly string[]): Promise<readonly string[]> {
    const parts: (readonly string[])[] = [];
    for (const pattern of include) {
      if (isFile(pattern)) parts.push(this.#remember(pattern, undefined, () => [pattern]));
      else if (!isDirectory(dirname(pattern))) parts.push(await globbed(pattern));
      // The Kinesis Agent takes the directory of a pattern as written: so does this, where that directory exists.
      else if (basename(pattern).includes("**")) {
        parts.push(await globbed(`${escapePath(dirname(pattern))}/${basename(pattern)}`));
      } else parts.push(this.#matching(pattern));
    }
    const key = JSON.stringify([include, exclude]);
    const before = this.#found.get(key);
    if (before !== undefined && before.of.every((paths, index) => paths === parts[index])) return before.paths;
    // Not tinyglobby's `ignore`, which is relative to the working directory.
    const isExcluded = picomatch([...exclude], { dot: true });
    const paths = [...new Set(parts.flat())].filter((path) => !isExcluded(path)).toSorted();
    this.#found.set(key, { of: parts, paths });
    return paths;
  }

  #matching(pattern: string): readonly string[] {
    const directory = dirname(pattern);
    const listing = this.#listing(directory);
    return this.#remember(pattern, listing, () => {
      const isMatch = picomatch(basename(pattern), { dot: true, posix: true });
      return listing.names.filter((name) => isMatch(name)).map((name) => join(directory, name));
    });
  }

  #remember(pattern: string, of: Listing | undefined, compute: () => readonly string[]): readonly string[] {
    const before = this.#matches.get(pattern);
    if (before !== undefined && before.of === of) return before.paths;
    const paths = compute();
    this.#matches.set(pattern, { of, paths });
    return paths;
  }

  #listing(directory: string): Listing {
    const nowMs = this.#wallNow();
    const before = this.#listings.get(directory);
    // Asked before the names are read: what changes in between makes the next look list again.
    const { ino: inode, mtimeNs: changedNs } = statSync(directory, { bigint: true });
    if (
      before?.inode === inode &&
      before.changedNs === changedNs &&
      before.listedMs - Number(changedNs / 1_000_000n) >= stillMs &&
      nowMs - before.listedMs < trustedMs
    ) {
      return before;
    }
    const names = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name);
    const listing = { changedNs, inode, listedMs: nowMs, names };
    this.#listings.set(directory, listing);
    return listing;
  }
}

/** A pattern that exists as written is that file, whatever characters are in its name. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function globbed(pattern: string): Promise<readonly string[]> {
  return await glob([pattern], {
    absolute: true,
    dot: true,
    expandDirectories: false,
    // A file may vanish between the listing and the next call.
    onlyFiles: true,
  });
}
