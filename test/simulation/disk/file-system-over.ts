/**
 * Driver. The disk as the agent on a host sees it: looking is immediate, listing, opening and reading take a moment, and
 * may fail.
 */
import type { FileFault, FileStat, FileSystem, Opened, OpenFile } from "@millrace/agent";
import type { VirtualHost } from "@millrace/simulator";
import type { Disk, Inode } from "./disk.ts";

/** How the disk behaves from now on. Shares are 0 to 1. */
export interface DiskConditions {
  readonly maxDelayMs: number;
  /** Opens that find no handle left. */
  readonly noHandles: number;
  /** Reads that fail. */
  readonly readErrors: number;
}

const missing: FileFault = { reason: "missing", code: "ENOENT" };

/** An agent's files, of one of its lives. */
export class AgentFiles implements FileSystem {
  readonly #disk: Disk;
  readonly #host: VirtualHost;
  readonly #conditions: () => DiskConditions;
  /** Handles that are open. */
  readonly #handles = new Set<{ readonly inode: Inode }>();
  #isGone = false;

  constructor(disk: Disk, host: VirtualHost, conditions: () => DiskConditions) {
    this.#disk = disk;
    this.#host = host;
    this.#conditions = conditions;
  }

  get openCount(): number {
    return this.#handles.size;
  }

  /** The process is gone: its handles are closed for it. */
  releaseAll(): void {
    this.#isGone = true;
    for (const { inode } of this.#handles) this.#disk.releaseHandle(inode);
    this.#handles.clear();
  }

  async find(include: readonly string[]): Promise<readonly string[]> {
    await this.#delay();
    const patterns = include.map(toRegExp);
    return this.#disk.paths.filter((path) => patterns.some((pattern) => pattern.test(path))).toSorted();
  }

  async siblings(path: string): Promise<readonly string[]> {
    await this.#delay();
    const directory = path.slice(0, path.lastIndexOf("/") + 1);
    return this.#disk.paths.filter(
      (other) => other !== path && other.startsWith(path) && other.lastIndexOf("/") + 1 === directory.length,
    );
  }

  stat(path: string): ReturnType<FileSystem["stat"]> {
    const inode = this.#disk.at(path);
    return inode === undefined ? { ok: false, fault: missing } : { ok: true, stat: statOf(inode) };
  }

  async open(path: string): Promise<Opened> {
    await this.#delay();
    if (this.#host.system.random() < this.#conditions().noHandles) {
      return { ok: false, fault: { reason: "other", code: "EMFILE" } };
    }
    const inode = this.#disk.at(path);
    if (inode === undefined) return { ok: false, fault: missing };
    return { ok: true, file: this.#handle(inode) };
  }

  #delay(): Promise<void> {
    const { system } = this.#host;
    return new Promise((resolve) => {
      system.schedule(system.random() * this.#conditions().maxDelayMs, resolve);
    });
  }

  watch(): { close(): void } {
    return { close: () => undefined };
  }

  #handle(inode: Inode): OpenFile {
    const handle = { inode };
    inode.handles++;
    this.#handles.add(handle);
    return {
      read: async (target, positionBytes) => {
        await this.#delay();
        if (this.#host.system.random() < this.#conditions().readErrors) {
          throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" });
        }
        const { content } = inode;
        const endBytes = Math.min(content.sizeBytes, positionBytes + target.byteLength);
        if (positionBytes >= endBytes) return 0;
        target.set(content.bytes.subarray(positionBytes, endBytes));
        // A look at the first bytes, or at those before a position, takes nothing up.
        const isProbe = target.byteLength <= (positionBytes === 0 ? 1_024 : 64);
        if (!isProbe && !this.#isGone) content.readBytes = Math.max(content.readBytes, endBytes);
        return endBytes - positionBytes;
      },
      stat: () => statOf(inode),
      close: () => {
        if (this.#handles.delete(handle)) this.#disk.releaseHandle(inode);
        return Promise.resolve();
      },
    };
  }
}

function statOf(inode: Inode): FileStat {
  return {
    device: "1",
    inode: String(inode.number),
    sizeBytes: inode.content.sizeBytes,
    modifiedMs: inode.modifiedMs,
    bornMs: inode.bornMs,
    linkCount: inode.links,
  };
}

/** Stars alone: within a name, and for whole directories. */
function toRegExp(glob: string): RegExp {
  return new RegExp(`^${glob.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}$`);
}
