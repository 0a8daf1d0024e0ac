/**
 * Adapter. Reads the file that the quickstart ships: looks at it first, then writes its lines anew, as a program would
 * that logs them, with one rotation in the middle. The file itself is only read.
 */
import { createReadStream } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { linesFrom } from "./lines.ts";

/** What stands in a file. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
  readonly longestLineBytes: number;
  /** 1 for the first. */
  readonly longestLineNumber: number;
  readonly endsWithNewline: boolean;
  /** A NUL byte near its beginning: not a text. */
  readonly looksBinary: boolean;
}

/** Why a file cannot be shipped, in words for the one who named it. */
export class SourceFileError extends Error {
  override readonly name = "SourceFileError";
}

const newline = 0x0a;

/** The lines of a file of `bytes` bytes, with their newlines, one array for each chunk read. */
function linesOf(path: string, bytes: number): AsyncIterable<Uint8Array[]> {
  if (bytes === 0) return linesFrom(Readable.from([]));
  // What is appended while the quickstart runs is not part of it.
  return linesFrom(createReadStream(path, { end: bytes - 1, highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>);
}

/**
 * Reads the whole file once.
 * @throws {SourceFileError} when it is missing, not a file, or unreadable.
 */
export async function inspectSourceFile(path: string): Promise<SourceFile> {
  try {
    const { size, isFile } = await stat(path).then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
    if (!isFile) throw new SourceFileError(`${path} is not a regular file. Name a file with lines of text.`);
    const found = { lines: 0, longestLineBytes: 0, longestLineNumber: 0, endsWithNewline: true, looksBinary: false };
    for await (const lines of linesOf(path, size)) {
      for (const line of lines) {
        found.lines++;
        found.endsWithNewline = line.at(-1) === newline;
        if (found.lines <= 100 && line.includes(0)) found.looksBinary = true;
        if (line.length <= found.longestLineBytes) continue;
        found.longestLineBytes = line.length;
        found.longestLineNumber = found.lines;
      }
    }
    return { path, bytes: size, ...found };
  } catch (error) {
    throw sourceFileError(path, error);
  }
}

function sourceFileError(path: string, error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return new SourceFileError(
        `${path} does not exist. Name a file with lines of text, or none for a live access log.`,
      );
    case "EACCES":
    case "EPERM":
      return new SourceFileError(`${path} cannot be read: permission denied for this user.`);
    default:
      return error;
  }
}

/** A log that is written for the agent to tail. */
export class LogWriter {
  readonly path: string;
  #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<LogWriter> {
    return new LogWriter(path, await open(path, "a"));
  }

  async write(lines: readonly Uint8Array[]): Promise<void> {
    if (lines.length > 0) await this.#handle.appendFile(Buffer.concat(lines));
  }

  /** Renames the log to `<path>.1` and goes on in a new one, as logrotate does. */
  async rotate(): Promise<void> {
    await rename(this.path, `${this.path}.1`);
    await this.#handle.close();
    this.#handle = await open(this.path, "a");
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Writes all lines of `source` into `log`, rotating it once half of the bytes are written. */
export async function copyLines(
  source: SourceFile,
  log: LogWriter,
  hooks: { readonly onLine: (line: Uint8Array) => void; readonly onRotate: () => void; readonly signal: AbortSignal },
): Promise<void> {
  let written = 0;
  let rotated = false;
  for await (const lines of linesOf(source.path, source.bytes)) {
    hooks.signal.throwIfAborted();
    let waiting: Uint8Array[] = [];
    for (const line of lines) {
      hooks.onLine(line);
      waiting.push(line);
      written += line.length;
      if (rotated || written < source.bytes / 2) continue;
      rotated = true;
      await log.write(waiting);
      waiting = [];
      await log.rotate();
      hooks.onRotate();
    }
    await log.write(waiting);
  }
}
