import { afterEach, expect, test } from "vitest";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

test("scenario 55: an empty file, empty lines alone, leading empty lines, CRLF", async () => {
  const place = createBench();
  place.write("empty.log", "");
  place.write("lines.log", "\n\n\n");
  place.start();
  await place.catchUp();
  place.write("more.log", "\n\r\na\r\n");
  await place.settle();
  expect(place.lines).toEqual(["\n", "\n", "\n", "\n", "\r\n", "a\r\n"]);
});

test("scenario 56: a line in many small pieces stays one, however long it takes", async () => {
  const place = createBench();
  place.write("app.log", "");
  place.start();
  for (const piece of ["a", "b", "", "c", "d"]) {
    place.append("app.log", piece);
    await place.pass(20_000);
  }
  expect(place.lines).toEqual([]);
  place.append("app.log", "\n");
  await place.catchUp();
  expect(place.lines).toEqual(["abcd\n"]);
});

test("scenario 56: an unfinished line is sent after partialLineFlushMillis where that is asked for", async () => {
  const place = createBench("*.log", { partialLineFlushMillis: 500 });
  place.write("app.log", "half");
  place.start();
  await place.pass(400);
  expect(place.lines).toEqual([]);
  await place.pass(1_200);
  expect(place.lines).toEqual(["half"]);
});

const long = `${"0123456789".repeat(10)}\n`;

test.each([
  ["truncate", [`${"0123456789".repeat(6).slice(0, 59)}\n`]],
  ["split", ["0123456789".repeat(6), `${"0123456789".repeat(4)}\n`]],
  ["skip", []],
] as const)(
  "scenario 57: %s a line that is longer than a record; its neighbours are whole",
  async (onLongLine, pieces) => {
    const place = createBench("*.log", { onLongLine, maxRecordSizeBytes: 60 });
    place.write("app.log", `before\n${long}after\n`);
    place.start();
    await place.catchUp();
    expect(place.lines).toEqual(["before\n", ...pieces, "after\n"]);
    expect(place.agent.status()[0]?.counters.longLines).toBe(onLongLine === "split" ? 0 : 1);
  },
);

test.each(["truncate", "split", "skip"] as const)(
  "scenario 57: %s a long line that grows over a restart",
  async (onLongLine) => {
    const place = createBench("*.log", { onLongLine, maxRecordSizeBytes: 60 });
    place.write("app.log", "0123456789".repeat(7));
    place.start();
    await place.catchUp();
    await place.restart();
    place.append("app.log", `${"abcdefghij".repeat(3)}\nafter\n`);
    await place.catchUp();
    const digits = "0123456789".repeat(6);
    const expected = {
      truncate: [`${digits.slice(0, 59)}\n`, "after\n"],
      split: [digits, `0123456789${"abcdefghij".repeat(3)}\n`, "after\n"],
      skip: ["after\n"],
    }[onLongLine];
    expect(place.lines).toEqual(expected);
  },
);

test("scenario 57: a line longer than a turn and the limit of a record", async () => {
  const place = createBench();
  place.write("app.log", `before\n${"x".repeat(3_000_000)}\nafter\n`);
  place.start();
  await place.catchUp();
  expect(place.lines.map((line) => line.length)).toEqual([7, 1_048_320, 6]);
  expect(place.lines[1]?.endsWith("x\n")).toBe(true);
});

test("scenario 58, 60: no character is cut where a line is, and bytes that are no UTF-8 pass", async () => {
  const place = createBench("*.log", { maxRecordSizeBytes: 16, onLongLine: "split" });
  place.write("app.log", `${"é".repeat(10)}\n`);
  place.append("app.log", Uint8Array.of(0xff, 0xfe, 0x0a));
  place.start();
  await place.catchUp();
  expect(place.lines.slice(0, 2)).toEqual(["é".repeat(8), `${"é".repeat(2)}\n`]);
  expect([...(place.destination.stored[2]?.data ?? [])]).toEqual([0xff, 0xfe, 0x0a]);
});

test("scenario 61: other encodings pass byte for byte", async () => {
  const place = createBench();
  const shiftJis = Uint8Array.of(0x93, 0xfa, 0x96, 0x7b, 0x0a);
  place.write("app.log", shiftJis);
  place.start();
  await place.catchUp();
  expect([...(place.destination.stored[0]?.data ?? [])]).toEqual([...shiftJis]);
});

test("scenario 62: a start pattern groups lines, and a timeout ends the last group", async () => {
  const place = createBench("*.log", { multiLineStartPattern: "\\[" });
  place.write("app.log", "[1] first\n  at a\n[2] second\n");
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(["[1] first\n  at a\n"]);
  place.append("app.log", "  at b\n");
  await place.catchUp();
  expect(place.lines).toHaveLength(1);
  await place.pass(1_500);
  expect(place.lines).toEqual(["[1] first\n  at a\n", "[2] second\n  at b\n"]);
});

test("scenario 62: a continuation pattern, a cap of lines, and a restart in the middle", async () => {
  const place = createBench("*.log", { multiLineContinuePattern: "\\s", multiLineMaxLines: 3 });
  place.write("app.log", "a\n 1\n 2\n 3\nb\n 1\n");
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(["a\n 1\n 2\n", " 3\n"]);
  await place.restart();
  place.append("app.log", " 2\nc\n");
  await place.catchUp();
  expect(place.lines).toEqual(["a\n 1\n 2\n", " 3\n", "b\n 1\n 2\n"]);
});

test("scenario 63: header lines are left out of each new file, across restarts and rotation", async () => {
  const place = createBench("*.log*", { skipHeaderLines: 2 });
  place.write("app.log", "h1\nh");
  place.start();
  await place.catchUp();
  await place.restart();
  place.append("app.log", "2\na\n");
  await place.catchUp();
  place.rename("app.log", "app.log.1");
  place.write("app.log", "h1\nh2\nb\n");
  place.write("only-header.log", "h1\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n"]);
});

test("scenario 63: a header larger than a turn, a file that is all header, and a first start at the end", async () => {
  const place = createBench("*.log", { skipHeaderLines: 3, initialPosition: "END_OF_FILE" });
  const header = `${"h".repeat(600_000)}\n`;
  place.write("old.log", "h1\nh2\nh3\nbefore\n");
  place.start();
  await place.catchUp();
  place.append("old.log", "a\n");
  place.write("long.log", `${header.repeat(3)}b\n`);
  place.write("all-header.log", "h1\nh2\nh3\n");
  await place.settle();
  place.append("all-header.log", "c\n");
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["a\n", "b\n", "c\n"]);
});

test("scenario 63: a footer ends the file", async () => {
  const place = createBench("*.log", { fileFooterPattern: "END OF FILE" });
  place.write("app.log", "a\n  END OF FILE \nnot read\n");
  place.start();
  await place.catchUp();
  place.append("app.log", "nor this\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n"]);
});

test("scenario 64: compressed files are left alone", async () => {
  const place = createBench("*");
  for (const end of ["gz", "bz2", "zip", "zst", "xz"]) place.write(`app.log.${end}`, "bytes\n");
  place.write("app.log", "a\n");
  place.start();
  await place.settle();
  expect(place.lines).toEqual(["a\n"]);
});

test("scenario 66: directories and names by glob, braces, spaces, and exclusions", async () => {
  const place = createBench("logs/**/{app,web} server*.log", { exclude: ["**/secret/**"] });
  place.write("logs/a/app server.log", "1\n");
  place.write("logs/a/b/web server 2.log", "2\n");
  place.write("logs/secret/app server.log", "no\n");
  place.write("logs/a/db server.log", "no\n");
  place.start();
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["1\n", "2\n"]);
});

test("a directory whose name has the characters of a pattern is taken as written", async () => {
  const place = createBench("[app]/*.log");
  place.write("[app]/x.log", "1\n");
  place.start();
  await place.settle();
  expect(place.lines).toEqual(["1\n"]);
});

test("the newline is left out where stripNewline asks for it", async () => {
  const place = createBench("*.log", { stripNewline: true });
  place.write("app.log", numbered("a", 1, 2).join(""));
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(["a 1", "a 2"]);
});
