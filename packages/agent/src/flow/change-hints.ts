/**
 * Driver. What the file system says has changed, so that a line is sent sooner than the next look would find it.
 *
 * Hints only: events get lost, come twice, or never come (network and overlay file systems). Everything is looked at in
 * its turn without them. A directory in which much happens is let go until the next scan: files that grow all the time
 * are looked at often anyway, and an event for each write would cost more than the looks.
 */
import { dirname } from "node:path";
import type { System, Timer } from "@millrace/core/runtime";
import type { Change, FileSystem } from "./files.ts";

/** The host's watches are for all its processes. */
const maxDirectories = 256;
/** Shortest time between two hints that wake the reader. */
const wakeEveryMs = 20;
/** Events of a directory between two scans after which it is let go. */
const maxEvents = 200;

/** How often the directories of files that came and went are gathered again. */
const gatherEveryMs = 10_000;
/** A directory that said nothing for so long is watched anew: it may have been made after, or in place of, another. */
const quietMs = 60_000;

interface Watched {
  readonly close: () => void;
  events: number;
  /** Since when it has said nothing. */
  quietSinceMs: number;
}

/** Watches the directories of a flow. */
export class ChangeHints {
  readonly #files: FileSystem;
  readonly #system: System;
  readonly #onHint: () => void;
  readonly #watched = new Map<string, Watched>();
  #wanted: ReadonlySet<string> = new Set();
  #version = -1;
  #gatherAtMs = 0;
  #paths = new Set<string>();
  #hasEntries = false;
  #wakeAtMs = 0;
  #timer: Timer | undefined;

  /** `onHint` is called when there is something to take, and not too often. */
  constructor(options: { readonly files: FileSystem; readonly system: System; readonly onHint: () => void }) {
    this.#files = options.files;
    this.#system = options.system;
    this.#onHint = options.onHint;
  }

  /**
   * Watches the directories of `paths`, those that can be, and no others. They are asked for when `version` is another
   * than before, and now and then.
   */
  follow(version: number, paths: () => Iterable<string>): void {
    const nowMs = this.#system.now();
    if (version !== this.#version || nowMs >= this.#gatherAtMs) {
      this.#version = version;
      this.#gatherAtMs = nowMs + gatherEveryMs;
      this.#wanted = directoriesOf(paths());
    }
    for (const [directory, watched] of this.#watched) {
      if (watched.events > 0) watched.quietSinceMs = nowMs;
      watched.events = 0;
      if (!this.#wanted.has(directory) || nowMs - watched.quietSinceMs >= quietMs) this.#letGo(directory);
    }
    for (const directory of this.#wanted) {
      if (!this.#watched.has(directory)) this.#watch(directory);
    }
  }

  /** What has changed since the last call: files by their paths; `entries` when names came or went. */
  take(): { readonly paths: ReadonlySet<string>; readonly entries: boolean } {
    const taken = { paths: this.#paths, entries: this.#hasEntries };
    if (taken.paths.size > 0) this.#paths = new Set();
    this.#hasEntries = false;
    return taken;
  }

  close(): void {
    this.#timer?.cancel();
    for (const directory of this.#watched.keys()) this.#letGo(directory);
  }

  #watch(directory: string): void {
    const watcher = this.#files.watch([directory], (change) => this.#changed(directory, change));
    this.#watched.set(directory, { close: () => watcher.close(), events: 0, quietSinceMs: this.#system.now() });
  }

  #letGo(directory: string): void {
    this.#watched.get(directory)?.close();
    this.#watched.delete(directory);
  }

  #changed(directory: string, change: Change | undefined): void {
    const watched = this.#watched.get(directory);
    if (watched === undefined) return;
    if (change?.kind === "content") this.#paths.add(change.path);
    else this.#hasEntries = true;
    watched.events += 1;
    if (change?.kind === "end" || watched.events >= maxEvents) this.#letGo(directory);
    this.#wake();
  }

  #wake(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#wakeAtMs - this.#system.now();
    if (waitMs <= 0) {
      this.#wakeAtMs = this.#system.now() + wakeEveryMs;
      this.#onHint();
      return;
    }
    this.#timer = this.#system.schedule(waitMs, () => {
      this.#timer = undefined;
      this.#wake();
    });
  }
}

function directoriesOf(paths: Iterable<string>): ReadonlySet<string> {
  const directories = new Set<string>();
  for (const path of paths) {
    if (directories.size >= maxDirectories) break;
    directories.add(dirname(path));
  }
  return directories;
}
