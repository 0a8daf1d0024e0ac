/**
 * Driver. A disk of the world: files with inodes that are used again, names that are moved and removed while files are
 * open, and a loss of power that takes what was not synced.
 */
import type { Prng } from "@millrace/simulator";
import { Content } from "./content.ts";

/** A file, under whatever names. */
export interface Inode {
  readonly number: number;
  readonly bornMs: number;
  content: Content;
  modifiedMs: number;
  links: number;
  /** Open handles, of writers and readers. */
  handles: number;
}

/** What was on the disk and is not any more. */
export interface Destroyed {
  readonly content: Content;
  /** From here on. */
  readonly fromBytes: number;
  readonly how: "truncated" | "deleted" | "lost-power";
}

/** A file that a program writes to, wherever its name has gone. */
export interface Appender {
  readonly content: Content;
  append(bytes: Uint8Array): void;
  close(): void;
}

/** Times of change are told in steps of the kernel's clock. */
const tickMs = 4;

export class Disk {
  /** Called with what is gone, after it is. */
  onDestroyed: (destroyed: Destroyed) => void = () => undefined;
  /** Every content that there was, newest last; the oldest are forgotten. */
  readonly history: Content[] = [];
  readonly #inodes = new Set<Inode>();
  readonly #paths = new Map<string, Inode>();
  readonly #freeNumbers: number[] = [];
  readonly #random: Prng;
  readonly #wallNow: () => number;
  readonly #keepsBirthTimes: boolean;
  #lastNumber = 1_000;

  constructor(random: Prng, wallNow: () => number) {
    this.#random = random;
    this.#wallNow = wallNow;
    this.#keepsBirthTimes = random.chance(0.5);
  }

  /** Every name. */
  get paths(): readonly string[] {
    return [...this.#paths.keys()];
  }

  at(path: string): Inode | undefined {
    return this.#paths.get(path);
  }

  /** True when some file holds these bytes. */
  holds(bytes: Buffer): boolean {
    for (const { content } of this.#inodes) if (content.bytes.includes(bytes)) return true;
    return false;
  }

  /** Opens a file for appending, and makes it where it is not there. */
  openAppend(path: string): Appender {
    const inode = this.#paths.get(path) ?? this.#create(path);
    inode.handles++;
    return {
      get content() {
        return inode.content;
      },
      append: (bytes) => {
        inode.content.append(bytes);
        this.#touch(inode);
      },
      close: () => this.releaseHandle(inode),
    };
  }

  /** Gives a file another name; a file that had it is gone. */
  rename(from: string, to: string): void {
    const inode = this.#paths.get(from);
    if (inode === undefined) return;
    this.unlink(to);
    this.#paths.delete(from);
    this.#paths.set(to, inode);
  }

  unlink(path: string): void {
    const inode = this.#paths.get(path);
    if (inode === undefined) return;
    this.#paths.delete(path);
    inode.links--;
    this.#freeIfUnused(inode, "deleted");
  }

  /** Empties a file. */
  truncate(path: string): void {
    const inode = this.#paths.get(path);
    if (inode === undefined) return;
    const { content } = inode;
    this.#setContent(inode, new Content());
    this.#touch(inode);
    this.onDestroyed({ content, fromBytes: 0, how: "truncated" });
  }

  releaseHandle(inode: Inode): void {
    inode.handles--;
    this.#freeIfUnused(inode, "deleted");
  }

  /** Writes everything down, as the kernel does now and then. */
  sync(): void {
    for (const { content } of this.#inodes) content.syncedBytes = content.sizeBytes;
  }

  /** Takes from each file a part of what was not synced. All handles must have been released. */
  losePower(): void {
    for (const inode of this.#inodes) {
      const { content } = inode;
      const keptBytes = this.#random.integer(content.syncedBytes, content.sizeBytes);
      if (keptBytes === content.sizeBytes) continue;
      this.#setContent(inode, content.beginning(keptBytes));
      this.onDestroyed({ content, fromBytes: keptBytes, how: "lost-power" });
    }
    this.sync();
  }

  #create(path: string): Inode {
    // A number that has become free is soon given out again, as file systems do.
    const reused = this.#random.chance(0.7) ? this.#freeNumbers.pop() : undefined;
    const inode: Inode = {
      number: reused ?? ++this.#lastNumber,
      bornMs: this.#keepsBirthTimes ? this.#wallNow() : 0,
      content: new Content(),
      modifiedMs: 0,
      links: 1,
      handles: 0,
    };
    this.#touch(inode);
    this.#setContent(inode, inode.content);
    this.#inodes.add(inode);
    this.#paths.set(path, inode);
    return inode;
  }

  #setContent(inode: Inode, content: Content): void {
    inode.content = content;
    this.history.push(content);
    if (this.history.length > 2_000) this.history.shift();
  }

  #touch(inode: Inode): void {
    inode.modifiedMs = Math.floor(this.#wallNow() / tickMs) * tickMs;
  }

  #freeIfUnused(inode: Inode, how: Destroyed["how"]): void {
    if (inode.links > 0 || inode.handles > 0 || !this.#inodes.delete(inode)) return;
    this.#freeNumbers.push(inode.number);
    this.onDestroyed({ content: inode.content, fromBytes: 0, how });
  }
}
