/**
 * Adapter. The host's files.
 *
 * Looking at a file is a synchronous call on purpose: it takes 2 us, and 40 us by way of the thread pool, which would
 * be most of the agent's work with 10,000 idle files. Reading goes by the thread pool: a cold disk takes milliseconds.
 */
import { type BigIntStats, closeSync, fstatSync, open, read, readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { realSystem } from "@millrace/core/runtime";
import { FileFinder } from "./find-files.ts";
import type { Change, FileFault, FileStat, FileSystem, Opened, OpenFile, Stated } from "../flow/files.ts";

const finder = new FileFinder(() => realSystem.wallNow());

/** The real file system. */
export const realFileSystem: FileSystem = {
  find: (include, exclude) => finder.find(include, exclude),
  siblings: (path) => Promise.resolve(siblingsOf(path)),
  stat: statPath,
  open: openPath,
  watch: watchDirectories,
};

function siblingsOf(path: string): string[] {
  const directory = dirname(path);
  const name = basename(path);
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.startsWith(name) && entry.name !== name)
      .map((entry) => join(directory, entry.name));
  } catch {
    // The directory went away with its files: there is nothing beside the path.
    return [];
  }
}

function statPath(path: string): Stated {
  try {
    const stats = statSync(path, { bigint: true });
    if (!stats.isFile()) return { ok: false, fault: { reason: "missing", code: "EISDIR" } };
    return { ok: true, stat: toFileStat(stats) };
  } catch (error) {
    return { ok: false, fault: toFault(error) };
  }
}

function openPath(path: string): Promise<Opened> {
  return new Promise((resolve) => {
    open(path, "r", (error, descriptor) => {
      if (error !== null) resolve({ ok: false, fault: toFault(error) });
      else resolve({ ok: true, file: openFile(descriptor) });
    });
  });
}

function openFile(descriptor: number): OpenFile {
  const readOnce = (target: Uint8Array, from: number, positionBytes: number) =>
    new Promise<number>((resolve, reject) => {
      read(descriptor, target, from, target.byteLength - from, positionBytes, (error, bytes) => {
        if (error !== null) reject(error);
        else resolve(bytes);
      });
    });
  return {
    async read(target, positionBytes) {
      let filledBytes = 0;
      while (filledBytes < target.byteLength) {
        const bytes = await readOnce(target, filledBytes, positionBytes + filledBytes);
        if (bytes === 0) break;
        filledBytes += bytes;
      }
      return filledBytes;
    },
    stat: () => toFileStat(fstatSync(descriptor, { bigint: true })),
    close() {
      closeSync(descriptor);
      return Promise.resolve();
    },
  };
}

function toFileStat(stats: BigIntStats): FileStat {
  return {
    device: String(stats.dev),
    inode: String(stats.ino),
    sizeBytes: Number(stats.size),
    modifiedMs: Number(stats.mtimeNs / 1000n) / 1000,
    // Where a file system keeps no birth time, some systems give the time of the last change instead.
    bornMs: stats.birthtimeNs === stats.ctimeNs ? 0 : Number(stats.birthtimeMs),
    linkCount: Number(stats.nlink),
  };
}

function toFault(error: unknown): FileFault {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return { reason: "missing", code };
  if (code === "EACCES" || code === "EPERM") return { reason: "denied", code };
  return { reason: "other", code: code ?? "UNKNOWN" };
}

function watchDirectories(directories: readonly string[], onChange: (change?: Change) => void): { close(): void } {
  const watchers = directories.flatMap((directory) => {
    try {
      const watcher = watch(directory, { persistent: false }, (event, name) => {
        if (event === "change" && name !== null) onChange({ kind: "content", path: join(directory, name) });
        else onChange({ kind: "entry" });
      });
      // A watched directory that goes away ends its watcher; the scan finds what is there.
      watcher.on("error", () => {
        watcher.close();
        onChange({ kind: "end" });
      });
      return [watcher];
    } catch {
      // No inotify, or no watch left: the scan alone finds every change, a little later.
      return [];
    }
  });
  return {
    close() {
      for (const watcher of watchers) watcher.close();
    },
  };
}
