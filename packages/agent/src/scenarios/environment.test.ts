import { afterEach, expect, test } from "vitest";
import type { FileSystem } from "../flow/files.ts";
import { realFileSystem } from "../io/file-system.ts";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";
import { ScopedError } from "../testing-support/memory-destination.ts";

afterEach(closeBenches);

const text = (lines: readonly string[]) => lines.join("");

test("scenario 46: a file deleted while it is open is read to its end", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  place.append("app.log", "b\nlast");
  place.remove("app.log");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n", "last"]);
  expect(place.events.some((event) => event.type === "file-finished")).toBe(true);
});

test("scenario 47: the directory is deleted and made again", async () => {
  const place = createBench("logs/*.log");
  place.write("logs/app.log", "a\n");
  place.start();
  await place.catchUp();
  place.remove("logs");
  await place.settle();
  place.write("logs/app.log", "b\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n"]);
});

test("scenario 48: deleted and made again at once", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 30)));
  place.start();
  await place.catchUp();
  place.append("app.log", "a last\n");
  place.remove("app.log");
  place.write("app.log", text(numbered("b", 1, 30)));
  await place.settle();
  expect(place.lines.toSorted()).toEqual([...numbered("a", 1, 30), "a last\n", ...numbered("b", 1, 30)].toSorted());
});

test("scenario 49: a directory in place of a file is no file, until it is one", async () => {
  const place = createBench("app.log");
  place.write("app.log/inner", "no\n");
  place.start();
  await place.settle();
  place.remove("app.log");
  place.write("app.log", "a\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n"]);
});

test("scenario 49: no permission is said once, and the file is read once there is", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.write("other.log", "b\n");
  let isDenied = true;
  // The host's own permissions do not bind the user that containers run tests as.
  const open: FileSystem["open"] = (path) =>
    isDenied && path.endsWith("app.log")
      ? Promise.resolve({ ok: false, fault: { reason: "denied", code: "EACCES" } })
      : realFileSystem.open(path);
  place.start({}, {}, { files: { ...realFileSystem, open } });
  await place.settle();
  expect(place.lines).toEqual(["b\n"]);
  expect(place.events.filter((event) => event.type === "file-unreadable")).toEqual([
    expect.objectContaining({ path: place.path("app.log"), code: "EACCES" }),
  ]);
  isDenied = false;
  await place.settle();
  expect(place.lines).toEqual(["b\n", "a\n"]);
});

test("scenario 49: a file that goes between the listing and the opening, and another that comes in its place", async () => {
  const place = createBench("app.log");
  place.write("app.log", "gone before anybody could read it\n");
  let rounds = 0;
  const open: FileSystem["open"] = (path) => {
    rounds += 1;
    if (rounds === 1) place.remove("app.log");
    if (rounds === 2) {
      place.rename("app.log", "app.log.1");
      place.write("app.log", "b\n");
    }
    return realFileSystem.open(path);
  };
  place.start({}, {}, { files: { ...realFileSystem, open } });
  await place.settle();
  place.write("app.log", "a\n");
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["a\n", "b\n"]);
});

test("scenario 51: everything is found by looking alone, with no change events", async () => {
  const place = createBench();
  place.start();
  await place.catchUp();
  place.write("app.log", "a\n");
  // Only time passes: nobody asks the agent to look.
  while (place.lines.length === 0) {
    place.system.advance(1_000);
    await place.system.breathe();
  }
  expect(place.lines).toEqual(["a\n"]);
});

test("scenario 54: more files than may be open at once", async () => {
  const place = createBench();
  const expected: string[] = [];
  for (let file = 0; file < 60; file++) {
    place.write(`f${file}.log`, `f${file} 1\n`);
    expected.push(`f${file} 1\n`);
  }
  place.start({}, { maxOpenFiles: 10 });
  await place.settle();
  for (let file = 0; file < 60; file += 7) {
    place.append(`f${file}.log`, `f${file} 2\n`);
    expected.push(`f${file} 2\n`);
  }
  await place.settle();
  expect(place.lines.toSorted()).toEqual(expected.toSorted());
});

test("scenario 67, 68: each put that failed is put again; one that was stored twice is only a repetition", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 200)));
  place.destination.fateOf = (record, put) => {
    if (put % 20 === 0) return new ScopedError("lifetime");
    if (put % 33 === 0) {
      // Stored, and the answer lost.
      place.destination.stored.push({ ...record, data: record.data.slice() });
      return new ScopedError("stream");
    }
    return undefined;
  };
  place.start();
  while (new Set(place.lines).size < 200) {
    place.system.advance(1_000);
    await place.system.breathe();
  }
  expect(new Set(place.lines)).toEqual(new Set(numbered("a", 1, 200)));
});

test("scenario 70: a stream that is missing for hours, and then there", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 20)));
  let isThere = false;
  place.destination.fateOf = () => (isThere ? undefined : new ScopedError("stream", "ResourceNotFoundException"));
  place.start();
  const paused = () => place.events.filter((event) => event.type === "flow-paused");
  while (paused().length < 200) {
    place.system.advance(60_000);
    await place.system.breathe();
  }
  expect(paused().at(-1)?.error).toContain("ResourceNotFoundException");
  isThere = true;
  while (place.lines.length < 20) {
    place.system.advance(10_000);
    await place.system.breathe();
  }
  expect(place.lines).toEqual(numbered("a", 1, 20));
});

test("scenario 70: credentials that expire and come back", async () => {
  const place = createBench("*.log", { retryMaxBackoffMillis: 1_000 });
  place.write("app.log", text(numbered("a", 1, 5)));
  const hasCredentials = () => place.system.now() < 5_000 || place.system.now() > 3_600_000;
  place.destination.fateOf = () =>
    hasCredentials() ? undefined : new ScopedError("stream", "ExpiredTokenException: the token has expired");
  place.start();
  await place.catchUp();
  place.system.advance(10_000);
  place.append("app.log", text(numbered("a", 6, 10)));
  while (place.lines.length < 10) {
    place.system.advance(5_000);
    await place.system.breathe();
  }
  expect(place.lines).toEqual(numbered("a", 1, 10));
  expect(place.agent.status()[0]).toMatchObject({ stuckMs: 0, counters: { recordsUndeliverable: 0 } });
  expect(place.system.now()).toBeGreaterThan(3_600_000);
});

test("scenario 71: with the budget used up the reader stops, and goes on without a gap", async () => {
  const place = createBench();
  const lines = numbered(`a ${"x".repeat(1_000)}`, 1, 20_000);
  place.write("app.log", text(lines));
  let release: (() => void) | undefined;
  const released = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  place.destination.fateOf = () => released;
  place.start({}, { maxBufferedBytes: 8_388_608 });
  const heldBytes = () => place.agent.status()[0]?.counters.bytesRead ?? 0;
  while (heldBytes() < 4_000_000) await place.system.breathe();
  for (let turn = 0; turn < 5_000; turn++) await place.system.breathe();
  const held = heldBytes();
  expect(held).toBeLessThan(8_388_608 + 2_000_000);
  release?.();
  await place.catchUp();
  expect(place.lines).toEqual(lines);
});

test("scenario 73: live files get their turns beside a long backlog", async () => {
  const place = createBench();
  place.write("backlog.log", text(numbered("backlog", 1, 200_000)));
  for (let file = 0; file < 9; file++) place.write(`live${file}.log`, `live ${file}\n`);
  place.start();
  await place.catchUp();
  const lastLive = Math.max(...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((file) => place.lines.indexOf(`live ${file}\n`)));
  expect(lastLive).toBeGreaterThanOrEqual(0);
  expect(lastLive).toBeLessThan(100_000);
});
