/**
 * Pure. The file system as the agent sees it: an interface that the real one and the simulated one implement.
 *
 * Nothing here rejects for what a file system does on an ordinary day: a file that is gone or may not be read is a
 * value, because the agent's next step depends on it.
 */

/** What is known of a file without reading it. */
export interface FileStat {
  /** Decimal, because device and inode numbers use all 64 bits on some file systems. */
  readonly device: string;
  readonly inode: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Milliseconds since 1970; 0 where the file system keeps no birth time. */
  readonly bornMs: number;
  /** Names that lead to the file; 0 once it has been deleted while it is open. */
  readonly linkCount: number;
}

/** A file found under a path. */
export interface Sighting extends FileStat {
  readonly path: string;
}

/** Why a path gave no file. */
export interface FileFault {
  readonly reason: "missing" | "denied" | "other";
  /** The system's code, such as `EACCES`. */
  readonly code: string;
}

/** An open file. It stays readable after the path was renamed or deleted. */
export interface OpenFile {
  /** Fills `target` from `positionBytes` on; gives the bytes read, fewer than asked only at the end of the file. */
  read(target: Uint8Array, positionBytes: number): Promise<number>;
  stat(): FileStat;
  close(): Promise<void>;
}

/** What opening a path gave. */
export type Opened = { readonly ok: true; readonly file: OpenFile } | { readonly ok: false; readonly fault: FileFault };

/** What a look at a path gave. */
export type Stated = { readonly ok: true; readonly stat: FileStat } | { readonly ok: false; readonly fault: FileFault };

/** What a watched directory says: a file was written, a name came or went, or nothing more will be said. */
export type Change =
  | { readonly kind: "content"; readonly path: string }
  | { readonly kind: "entry" }
  | { readonly kind: "end" };

/** What a flow asks of the file system. */
export interface FileSystem {
  /** Absolute paths of files under the globs that no exclusion takes out. */
  find(include: readonly string[], exclude: readonly string[]): Promise<readonly string[]>;
  /** Files in the directory of `path` whose names begin with its name: where rotation puts copies. */
  siblings(path: string): Promise<readonly string[]>;
  /** Follows symbolic links. */
  stat(path: string): Stated;
  open(path: string): Promise<Opened>;
  /**
   * Calls `onChange` when something in the directories may have changed, with what where that is known. A hint: events
   * may be lost or spurious, and none may ever come.
   */
  watch(directories: readonly string[], onChange: (change?: Change) => void): { close(): void };
}

/** The name of the file itself, as far as the system tells. */
export function inodeKey(stat: { readonly device: string; readonly inode: string }): string {
  return `${stat.device}:${stat.inode}`;
}
