import { describe, expect, test } from "vitest";
import { createAgentWorld, runAgentWorld } from "./agents.ts";
import { Lines } from "./checkers/lines.ts";
import { Positions } from "./checkers/positions.ts";
import { hashBytes } from "../../packages/agent/src/flow/file-id.ts";
import { Disk } from "./disk/disk.ts";
import { runAgent } from "./run-seed.ts";
import { StoredLog } from "./world/stored-log.ts";
import { readPayload, writePayload } from "./world/payload.ts";
import { Prng } from "@millrace/simulator";

// More seeds, and longer, with `pnpm sim --seeds N`.
const loadedMs = 120_000;

describe("an agent whose logs are rotated while everything goes wrong", () => {
  test.each([1, 2, 3])("[C9] [C10] every line that nobody took from the disk is stored: seed %i", async (seed) => {
    const outcome = await runAgent(seed, loadedMs);
    expect(outcome.lines).toBeGreaterThan(0);
  });

  test("the same seed gives the same run, another seed another one", async () => {
    const first = await runAgent(4, loadedMs);
    expect(await runAgent(4, loadedMs)).toEqual(first);
    expect((await runAgent(5, loadedMs)).traceHash).not.toBe(first.traceHash);
  });

  test("[C10] positions that are saved as if everything that was read were stored are found out", async () => {
    const parts = createAgentWorld(2);
    const { onSave } = parts.positions;
    parts.positions.onSave = (rows) => {
      onSave(
        rows.map((row) => {
          const content = parts.disk.at(row.path)?.content.bytes ?? Buffer.alloc(0);
          const end = content.lastIndexOf(0x0a) + 1;
          return Object.assign({}, row, { positionBytes: end, marker: hashBytes(content.subarray(end - 64, end)) });
        }),
      );
    };
    await expect(runAgentWorld(parts, loadedMs)).rejects.toThrow(/^\[C10\]/);
  });
});

/** A disk with a log of some lines, of which none is stored. */
function diskWith(ids: readonly string[]) {
  const disk = new Disk(new Prng(1), () => 0);
  const stored = new StoredLog();
  const lines = new Lines(disk, stored, { copiesAreFound: true });
  disk.onDestroyed = (destroyed) => lines.onDestroyed(destroyed);
  const appender = disk.openAppend("/app.log");
  for (const id of ids) {
    const line = Buffer.concat([writePayload(id, 9), Buffer.from("\n")]);
    appender.append(line);
    lines.onWritten(id, line.byteLength);
  }
  const store = (line: string) =>
    stored.add("s", "1", [Object.assign(readPayload(Buffer.from(line)), { partitionKey: "k" })]);
  return { disk, lines, store, content: appender.content };
}

describe("the checkers of an agent", () => {
  test("[C9] see a line that is on the disk and nowhere else, and take no fragment for it", () => {
    const { lines, store } = diskWith(["a", "b"]);
    store("a        \n");
    store("b    \n");
    expect(() => lines.checkRest(0)).toThrow("[C9] b was on the disk, and nobody gets it");
    store("b        \n");
    expect(() => lines.checkRest(0)).not.toThrow();
  });

  test("[C9] see a line that was read before it was taken; not one that was taken unread", () => {
    const unread = diskWith(["a"]);
    unread.disk.truncate("/app.log");
    expect(() => unread.lines.checkRest(0)).not.toThrow();
    const read = diskWith(["a"]);
    read.content.readBytes = 10;
    read.disk.truncate("/app.log");
    expect(() => read.lines.checkRest(0)).toThrow("[C9] a was on the disk, and nobody gets it");
    read.lines.onLifeEnded();
    expect(() => read.lines.checkRest(0)).not.toThrow();
  });

  test("[C9] see bytes that were seen, taken unread, and not counted", () => {
    const { lines, disk, content } = diskWith(Array.from({ length: 200 }, (_, index) => `line${index}`));
    content.seenBytes = content.sizeBytes;
    disk.truncate("/app.log");
    expect(() => lines.checkRest(0)).toThrow("[C9] 976 bytes were seen and lost unread, and none were counted");
    expect(() => lines.checkRest(976)).not.toThrow();
  });

  test.each([
    [10, "a        \n", undefined],
    [20, "a        \n", "[C10] the position 20 of /app.log passes b, which is not stored"],
  ])("[C10] see a position of %i where only the first of two lines is stored", (positionBytes, line, complaint) => {
    const { disk, lines, store, content } = diskWith(["a", "b"]);
    store(line);
    const checker = new Positions(disk, lines);
    const marker = hashBytes(content.bytes.subarray(0, positionBytes));
    const fingerprint = hashBytes(content.bytes);
    const framing = { headerLinesLeft: 0, inside: "line-start", ended: false } as const;
    checker.onSave([
      {
        id: "g",
        path: "/app.log",
        device: "1",
        inode: "1",
        bornMs: 0,
        fingerprint,
        positionBytes,
        marker,
        framing,
        sizeBytes: 20,
        modifiedMs: 0,
        isMissing: false,
        updatedMs: 0,
      },
    ]);
    let thrown: string | undefined;
    try {
      checker.check();
    } catch (error) {
      thrown = (error as Error).message;
    }
    expect(thrown).toBe(complaint);
  });
});
