import { closeSync, openSync, symlinkSync, unlinkSync, writeSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";
import { ScopedError } from "../testing-support/memory-destination.ts";

afterEach(closeBenches);

const text = (lines: readonly string[]) => lines.join("");
const many = (name: string, count = 40) => numbered(`${name} ${"x".repeat(40)}`, 1, count);

test("scenario 1: rename and create", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("old", 1, 3)));
  place.start();
  await place.catchUp();
  place.append("app.log", "old 4\n");
  place.rename("app.log", "app.log.1");
  place.write("app.log", text(numbered("new", 1, 2)));
  await place.settle();
  expect(place.lines).toEqual([...numbered("old", 1, 4), ...numbered("new", 1, 2)]);
});

test.each(["app.log*", "app.log"])(
  "scenario 2: a writer keeps its descriptor after the rename (pattern %s)",
  async (pattern) => {
    const place = createBench(pattern);
    const descriptor = openSync(place.path("app.log"), "a");
    writeSync(descriptor, "a\n");
    place.start();
    await place.catchUp();
    place.rename("app.log", "app.log.1");
    place.write("app.log", "new\n");
    await place.pass(3_000);
    writeSync(descriptor, "b\n");
    await place.pass(3_000);
    writeSync(descriptor, "c\n");
    closeSync(descriptor);
    await place.settle();
    expect(place.lines.toSorted()).toEqual(["a\n", "b\n", "c\n", "new\n"]);
  },
);

test.each(["app.log*", "app.log"])(
  "scenario 3: several renames in a row between two scans (pattern %s)",
  async (pattern) => {
    const place = createBench(pattern);
    place.write("app.log", text(many("first")));
    place.start();
    await place.catchUp();
    place.append("app.log", "first last\n");
    place.rename("app.log", "app.log.1");
    place.write("app.log", text(many("second")));
    place.rename("app.log.1", "app.log.2");
    place.rename("app.log", "app.log.1");
    place.write("app.log", text(many("third")));
    await place.settle();
    expect(place.lines.toSorted()).toEqual(
      [...many("first"), "first last\n", ...many("second"), ...many("third")].toSorted(),
    );
  },
);

test("scenario 4: five files that rotate many times, and positions at the end of each", async () => {
  const place = createBench("*.log*");
  const expected: string[] = [];
  place.start();
  for (let turn = 0; turn < 8; turn++) {
    for (let file = 0; file < 5; file++) {
      const lines = numbered(`f${file} t${turn}`, 1, 200);
      expected.push(...lines);
      place.append(`f${file}.log`, text(lines));
    }
    await place.pass(1_000);
    for (let file = 0; file < 5; file++) place.rename(`f${file}.log`, `f${file}.log.${turn}`);
  }
  await place.settle();
  expect(place.lines.toSorted()).toEqual(expected.toSorted());
  for (const file of place.agent.status()[0]?.files ?? []) expect(file.savedBytes).toBe(file.sizeBytes);
});

test.each(["app.log*", "app.log"])(
  "scenario 5: copy and truncate; unread bytes come from the copy (pattern %s)",
  async (pattern) => {
    const place = createBench(pattern);
    place.write("app.log", text(many("old")));
    place.start();
    await place.catchUp();
    place.append("app.log", "old unread\n");
    place.copy("app.log", "app.log.1");
    place.truncate("app.log");
    place.append("app.log", "new 1\n");
    await place.settle();
    expect(place.lines).toEqual([...many("old"), "old unread\n", "new 1\n"]);
    expect(place.lostBytes).toBe(0);
  },
);

test("scenario 5: a copy that is seen before the truncation is not read as a file of its own", async () => {
  const place = createBench();
  place.write("app.log", text(many("old")));
  place.start();
  await place.catchUp();
  place.copy("app.log", "app.log.1");
  await place.pass(1_500);
  place.append("app.log", "old after the copy\n");
  await place.pass(1_500);
  place.truncate("app.log");
  await place.pass(1_500);
  place.append("app.log", "new\n");
  await place.settle();
  expect(place.lines).toEqual([...many("old"), "old after the copy\n", "new\n"]);
});

test("scenario 6: a writer without O_APPEND leaves a hole of NULs after the truncation", async () => {
  const place = createBench();
  const descriptor = openSync(place.path("app.log"), "w");
  writeSync(descriptor, "a\n");
  place.start();
  await place.catchUp();
  place.copy("app.log", "app.log.1");
  place.truncate("app.log");
  writeSync(descriptor, "b\n", 2);
  closeSync(descriptor);
  await place.settle();
  expect(place.lines).toEqual(["a\n", "\0\0b\n"]);
});

test("scenario 7: the writer goes on in the copy and in the original", async () => {
  const place = createBench();
  place.write("app.log", text(many("old")));
  place.start();
  await place.catchUp();
  place.copy("app.log", "app.log.1");
  place.truncate("app.log");
  await place.catchUp();
  place.append("app.log", "in the original\n");
  place.append("app.log.1", "in the copy\n");
  await place.settle();
  expect(place.lines.toSorted()).toEqual([...many("old"), "in the original\n", "in the copy\n"].toSorted());
});

test("[C9] scenario 8: a copy outside of reach: the loss is counted and reported", async () => {
  const place = createBench("app.log");
  place.write("app.log", text(many("old")));
  place.start();
  await place.catchUp();
  place.destination.fateOf = () => undefined;
  place.append("app.log", "held back");
  await place.catchUp();
  place.truncate("app.log");
  place.append("app.log", "new\n");
  await place.settle();
  expect(place.lines).toEqual([...many("old"), "new\n"]);
  expect(place.lostBytes).toBe("held back".length);
});

test.each(["running", "stopped"])(
  "scenario 9: copy and truncate with a pattern of one file, agent %s",
  async (state) => {
    const place = createBench("app.log");
    place.write("app.log", text(many("old")));
    place.start();
    await place.catchUp();
    if (state === "stopped") await place.stop();
    place.append("app.log", "unread\n");
    place.copy("app.log", "app.log-20261122");
    place.truncate("app.log");
    place.append("app.log", "new\n");
    if (state === "stopped") place.start();
    await place.settle();
    expect(place.lines).toEqual([...many("old"), "unread\n", "new\n"]);
  },
);

test.each([2, 3])("scenario 10: %i rotations before the next look", async (rotations) => {
  const place = createBench();
  place.write("app.log", text(many("g0")));
  place.start();
  await place.catchUp();
  const expected = many("g0");
  for (let rotation = 1; rotation <= rotations; rotation++) {
    for (let index = rotation - 1; index > 0; index--) place.rename(`app.log.${index}`, `app.log.${index + 1}`);
    place.rename("app.log", "app.log.1");
    place.write("app.log", text(many(`g${rotation}`)));
    expected.push(...many(`g${rotation}`));
  }
  await place.settle();
  expect(place.lines.toSorted()).toEqual(expected.toSorted());
});

test("scenario 10: the rotated file is deleted before the next look", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  place.append("app.log", "b\n");
  place.rename("app.log", "app.log.1");
  place.remove("app.log.1");
  place.write("app.log", "c\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n", "c\n"]);
});

test("scenario 11: a new name each period, the old file never touched again", async () => {
  const place = createBench();
  place.start();
  const expected: string[] = [];
  for (let hour = 10; hour < 16; hour++) {
    const lines = numbered(`hour ${hour}`, 1, 5);
    place.write(`app-2026112210${hour}.log`, text(lines));
    expected.push(...lines);
    await place.pass(1_000);
  }
  await place.settle();
  expect(place.lines).toEqual(expected);
});

const deletions = ["none", "no deletion", "deletion of the old", "deletion beyond the fingerprint"] as const;
const methods = ["move-create", "copytruncate"] as const;
const names = ["timestamp", "sequence"] as const;
const matrix = deletions.flatMap((deletion) =>
  methods.flatMap((method) => names.map((name) => ({ deletion, method, name }))),
);

test.each(matrix)(
  "scenario 12: rotation by $method with $name names, $deletion",
  async ({ deletion, method, name }) => {
    const place = createBench();
    const expected: string[] = [];
    const rotated: string[] = [];
    place.start();
    for (let turn = 1; turn <= 4; turn++) {
      const lines = numbered(`turn ${turn} ${"y".repeat(deletion.endsWith("fingerprint") ? 300 : 20)}`, 1, 12);
      place.append("app.log", text(lines));
      expected.push(...lines);
      await place.pass(1_500);
      if (deletion === "none") continue;
      if (name === "sequence") {
        for (let index = rotated.length; index > 0; index--) place.rename(`app.log.${index}`, `app.log.${index + 1}`);
      }
      const target = name === "sequence" ? "app.log.1" : `app.log.2026112210${turn}0`;
      if (method === "move-create") place.rename("app.log", target);
      else {
        place.copy("app.log", target);
        place.truncate("app.log");
      }
      rotated.push(target);
      if (deletion.startsWith("deletion") && rotated.length > 1) {
        place.remove(name === "sequence" ? `app.log.${rotated.length}` : (rotated[0] ?? ""));
        rotated.shift();
      }
    }
    await place.settle();
    expect(place.lines).toEqual(expected);
    expect(place.lostBytes).toBe(0);
  },
);

test("scenario 13: a pause between move and create", async () => {
  const place = createBench("app.log");
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  place.rename("app.log", "app.log.1");
  await place.settle();
  place.write("app.log", "b\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n"]);
});

test("scenario 14: a moved file that still matches is not read again", async () => {
  const place = createBench("**/*.log");
  place.write("app.log", text(many("a")));
  place.start();
  await place.catchUp();
  place.write("old/keep.log", "b\n");
  place.rename("app.log", "old/app.log");
  await place.settle();
  await place.restart();
  await place.settle();
  expect(place.lines).toEqual([...many("a"), "b\n"]);
});

test("scenario 15: a file moved out of the pattern while unread", async () => {
  const place = createBench("app.log");
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  place.append("app.log", "b\nlast without newline");
  place.rename("app.log", "elsewhere");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n", "last without newline"]);
});

test("scenario 16: a large file moved while the agent is stopped", async () => {
  const place = createBench("app.log");
  place.write("app.log", text(many("a", 3_000)));
  place.start();
  await place.catchUp();
  await place.stop();
  place.append("app.log", "a unread\n");
  place.rename("app.log", "app.log.1");
  place.write("app.log", "b\n");
  place.start();
  await place.settle();
  expect(place.lines).toEqual([...many("a", 3_000), "a unread\n", "b\n"]);
});

test("scenario 17: another rotation while the first is waited for", async () => {
  const place = createBench("app.log");
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  for (const name of ["b", "c", "d"]) {
    place.rename("app.log", `app.log.${name}`);
    place.write("app.log", `${name}\n`);
    await place.pass(4_000);
  }
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n", "c\n", "d\n"]);
});

test.each([5_000, 60_000])(
  "[C9] scenario 17: rotated twice while the destination takes nothing for %i ms, less or more than rotateWaitMillis",
  async (throttledMs) => {
    const place = createBench("app.log", { retryMaxBackoffMillis: 1_000 });
    place.write("app.log", "a\n");
    let isThrottled = true;
    place.destination.fateOf = () => (isThrottled ? new ScopedError("lifetime", "throttled") : undefined);
    const found = () => place.events.filter((event) => event.type === "file-found").length;
    const passUntil = async (isOver: () => boolean) => {
      while (!isOver()) {
        place.system.advance(50);
        await place.system.breathe();
      }
    };
    place.start();
    await passUntil(() => place.destination.puts > 0);
    for (const [index, name] of ["b", "c"].entries()) {
      place.append("app.log", `last before ${name}\n`);
      place.rename("app.log", `elsewhere ${name}`);
      place.write("app.log", `${name}\n`);
      // Seen, though nothing can be sent.
      await passUntil(() => found() === index + 2);
    }
    const throttledUntilMs = place.system.now() + throttledMs;
    await passUntil(() => place.system.now() >= throttledUntilMs);
    isThrottled = false;
    await passUntil(() => new Set(place.lines).size === 5);
    await place.settle();
    expect(place.lines.toSorted()).toEqual(["a\n", "b\n", "c\n", "last before b\n", "last before c\n"]);
  },
);

test("scenario 18: a rename chain inside one pattern, and a path taken by another file", async () => {
  const place = createBench();
  place.write("a.log", "a\n");
  place.write("b.log", "b\n");
  place.start();
  await place.catchUp();
  place.rename("b.log", "c.log");
  place.rename("a.log", "b.log");
  place.append("b.log", "a more\n");
  place.append("c.log", "b more\n");
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["a\n", "a more\n", "b\n", "b more\n"].toSorted());
});

test("scenario 19: rotated to a name that another flow takes is not this flow's to read again", async () => {
  const place = createBench("{app,old}.log");
  place.write("app.log", text(many("a")));
  place.start();
  await place.catchUp();
  place.rename("app.log", "old.log");
  place.write("app.log", "b\n");
  await place.settle();
  expect(place.lines).toEqual([...many("a"), "b\n"]);
});

test("scenario 20: a symbolic link whose target is switched thirty times", async () => {
  const place = createBench("current");
  const expected: string[] = [];
  place.write("target.0", "t 0\n");
  symlinkSync(place.path("target.0"), place.path("current"));
  expected.push("t 0\n");
  place.start();
  await place.catchUp();
  for (let index = 1; index <= 30; index++) {
    place.append(`target.${index - 1}`, `t ${index - 1} last\n`);
    place.write(`target.${index}`, `t ${index}\n`);
    unlinkSync(place.path("current"));
    symlinkSync(place.path(`target.${index}`), place.path("current"));
    expected.push(`t ${index - 1} last\n`, `t ${index}\n`);
    await place.catchUp();
  }
  await place.settle();
  expect(place.lines.toSorted()).toEqual(expected.toSorted());
});

test("scenario 20: a symbolic link to a file that is rotated, and to one that is truncated", async () => {
  const place = createBench("current");
  place.write("target", "a\n");
  symlinkSync(place.path("target"), place.path("current"));
  place.start();
  await place.catchUp();
  place.append("target", "b\n");
  place.rename("target", "target.1");
  place.write("target", "c\n");
  await place.settle();
  place.truncate("target");
  place.append("target", "and then d\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n", "c\n", "and then d\n"]);
});

test("scenario 21: a big file is rotated while it is read from its start", async () => {
  const place = createBench();
  place.write("app.log", text(many("a", 20_000)));
  place.start();
  const caught = place.catchUp();
  while (place.lines.length === 0) await place.system.breathe();
  place.rename("app.log", "app.log.1");
  place.write("app.log", "b\n");
  await caught;
  await place.settle();
  expect(place.lines).toHaveLength(20_001);
  expect(place.lines.at(-1)).toBe("b\n");
});

test("scenario 22: a multi-line record at the end of a rotated file is complete and alone", async () => {
  const place = createBench("*.log*", { multiLineStartPattern: "\\d" });
  place.write("app.log", "1 start\n  more\n");
  place.start();
  await place.catchUp();
  place.append("app.log", "2 start\n  tail\n");
  place.rename("app.log", "app.log.1");
  place.write("app.log", "  stray\n3 start\n");
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["  stray\n", "1 start\n  more\n", "2 start\n  tail\n", "3 start\n"]);
});

test("scenario 23: moved away, truncated, and moved back", async () => {
  const place = createBench("app.log");
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  place.rename("app.log", "away");
  await place.catchUp();
  place.truncate("away");
  await place.catchUp();
  place.rename("away", "app.log");
  place.append("app.log", "b\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n"]);
});

test("scenario 24: replaced by a file with the same content, and by one with other content", async () => {
  const place = createBench("app.log");
  place.write("app.log", text(many("a")));
  place.start();
  await place.catchUp();
  place.write("temporary", `${text(many("a"))}a more\n`);
  place.rename("temporary", "app.log");
  await place.settle();
  expect(place.lines).toEqual([...many("a"), "a more\n"]);
  place.write("temporary", text(many("b")));
  place.rename("temporary", "app.log");
  await place.settle();
  expect(place.lines).toEqual([...many("a"), "a more\n", ...many("b")]);
});
