/**
 * Pure. [C10] A saved position never passes a line that is not stored.
 */
import type { SavedGeneration } from "@millrace/agent";
import { beginsWith, hashBytes } from "../../../packages/agent/src/flow/file-id.ts";
import type { Content } from "../disk/content.ts";
import type { Disk } from "../disk/disk.ts";
import { hold, Violations, type Checker } from "../world/checker.ts";
import { linesOf, type Lines } from "./lines.ts";

export class Positions implements Checker {
  readonly invariant = "C10";
  readonly #disk: Disk;
  readonly #lines: Lines;
  /** How far each content has been passed. */
  readonly #passed = new WeakMap<Content, number>();
  readonly #violations = new Violations();

  constructor(disk: Disk, lines: Lines) {
    this.#disk = disk;
    this.#lines = lines;
  }

  /** Rows are being saved. */
  onSave(rows: readonly SavedGeneration[]): void {
    for (const row of rows) {
      const content = this.#contentOf(row);
      this.#violations.catch(() =>
        hold("C10", content !== undefined, () => `the position ${row.positionBytes} of ${row.path} is in no file`),
      );
      if (content === undefined) continue;
      content.seenBytes = Math.max(content.seenBytes, Math.min(row.sizeBytes, content.sizeBytes));
      this.#pass(row, content);
    }
  }

  check(): void {
    this.#violations.check();
  }

  #pass({ path, positionBytes }: SavedGeneration, content: Content): void {
    const from = this.#passed.get(content) ?? 0;
    if (positionBytes <= from) return;
    let upToBytes = from;
    for (const { id, startBytes, endBytes } of linesOf(content, from, positionBytes)) {
      upToBytes = endBytes;
      const isSettled = this.#lines.isSettled(id, endBytes - startBytes);
      this.#violations.catch(() =>
        hold("C10", isSettled, () => `the position ${positionBytes} of ${path} passes ${id}, which is not stored`),
      );
    }
    this.#passed.set(content, upToBytes);
  }

  /** What the row speaks of: the newest content that holds what it remembers. */
  #contentOf({ positionBytes, fingerprint, marker }: SavedGeneration): Content | undefined {
    return this.#disk.history.findLast(({ bytes }) => {
      if (bytes.byteLength < positionBytes || !beginsWith(bytes, fingerprint)) return false;
      return hashBytes(bytes.subarray(positionBytes - marker.lengthBytes, positionBytes)).digest === marker.digest;
    });
  }
}
