/**
 * Pure. [C9] Every line that reached the disk is stored in the stream, unless it was taken from the disk before the agent
 * could read it; and where something was taken that the agent had seen, it counts some.
 */
import type { Content } from "../disk/content.ts";
import type { Destroyed, Disk } from "../disk/disk.ts";
import { hold, Violations, type Checker } from "../world/checker.ts";
import { readPayload } from "../world/payload.ts";
import type { StoredLog } from "../world/stored-log.ts";

interface Line {
  readonly bytes: number;
  isStored: boolean;
  /** It was taken from the disk unread. */
  isExcused: boolean;
}

const newline = 0x0a;

export class Lines implements Checker {
  readonly invariant = "C9";
  repeated = 0;
  excused = 0;
  /** Lines that are on the disk no more and that the living agent has read: it owes them for as long as it lives. */
  readonly #owed = new Set<string>();
  /** Bytes that the living agent had seen and not read when they were taken. */
  #unreadBytes = 0;
  readonly #lines = new Map<string, Line>();
  readonly #open = new Set<string>();
  readonly #violations = new Violations();
  readonly #disk: Disk;

  /** Whether the agent looks at every copy of a log. */
  readonly #copiesAreFound: boolean;

  constructor(disk: Disk, stored: StoredLog, options: { readonly copiesAreFound: boolean }) {
    this.#disk = disk;
    this.#copiesAreFound = options.copiesAreFound;
    stored.listen((_, { members }) => {
      for (const { id, bytes, isIntact } of members) {
        const line = this.#lines.get(id);
        // A fragment is not the line.
        if (line === undefined || !isIntact || line.bytes !== bytes) continue;
        if (line.isStored) this.repeated++;
        line.isStored = true;
        this.#open.delete(id);
        this.#owed.delete(id);
      }
    });
  }

  get count(): number {
    return this.#lines.size;
  }

  /** A whole line is on the disk. */
  onWritten(id: string, bytes: number): void {
    this.#lines.set(id, { bytes, isStored: false, isExcused: false });
    this.#open.add(id);
  }

  /** Bytes are gone from a file. */
  onDestroyed({ content, fromBytes, how }: Destroyed): void {
    let isCopied = true;
    for (const { id, startBytes, endBytes } of linesOf(content, 0, content.sizeBytes)) {
      const isWhole = this.#lines.get(id)?.bytes === endBytes - startBytes;
      if (endBytes <= fromBytes || !isWhole || !this.#open.has(id)) continue;
      const isOnDisk = this.#disk.holds(content.bytes.subarray(startBytes, endBytes));
      isCopied &&= isOnDisk;
      // A copy outside the pattern is found by what the agent knows of its original, which must be something.
      if (isOnDisk && (this.#copiesAreFound || endBytes <= content.seenBytes)) continue;
      if (isOnDisk) this.#excuse(id);
      else if (endBytes <= content.readBytes) this.#owed.add(id);
      else this.#excuse(id);
    }
    const { seenBytes, readBytes } = content;
    if (!isCopied && how !== "lost-power") this.#unreadBytes += Math.max(0, seenBytes - Math.max(readBytes, 1_024));
  }

  /** The agent is gone, and with it what it had read; what it counted is over. */
  onLifeEnded(): void {
    for (const id of this.#owed) this.#excuse(id);
    this.#owed.clear();
    this.#unreadBytes = 0;
    for (const content of this.#disk.history) {
      content.readBytes = 0;
      content.seenBytes = 0;
    }
  }

  /** True unless this is a whole line that is not stored: a loss of power leaves pieces of lines. */
  isSettled(id: string, bytes: number): boolean {
    const line = this.#lines.get(id);
    return line === undefined || line.bytes !== bytes || line.isStored;
  }

  /** The first line that is owed. */
  get missing(): string | undefined {
    const [first] = this.#open;
    return first;
  }

  check(): void {
    this.#violations.check();
  }

  /** `countedBytes` is what the living agent says was lost. */
  checkRest(countedBytes: number): void {
    const { missing } = this;
    hold("C9", missing === undefined, () => `${missing} was on the disk, and nobody gets it`);
    const tell = () => `${this.#unreadBytes} bytes were seen and lost unread, and none were counted`;
    hold("C9", countedBytes > 0 || this.#unreadBytes === 0, tell);
  }

  #excuse(id: string): void {
    const line = this.#lines.get(id);
    if (line === undefined || line.isStored || line.isExcused) return;
    line.isExcused = true;
    this.excused++;
    this.#open.delete(id);
  }
}

/** The whole lines between two places of a file, with what stands in them. */
export function* linesOf(
  content: Content,
  fromBytes: number,
  toBytes: number,
): Generator<{ readonly id: string; readonly startBytes: number; readonly endBytes: number }> {
  const { bytes } = content;
  for (let startBytes = fromBytes; startBytes < toBytes;) {
    const at = bytes.indexOf(newline, startBytes);
    if (at === -1 || at >= toBytes) return;
    const { id } = readPayload(bytes.subarray(startBytes, at + 1));
    yield { id, startBytes, endBytes: at + 1 };
    startBytes = at + 1;
  }
}
