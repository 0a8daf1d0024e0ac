import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { closeBenches, createBench, numbered, type AgentBench } from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

const text = (lines: readonly string[]) => lines.join("");
const never = () => new Promise<undefined>(() => undefined);

/** Stops an agent whose destination stores nothing any more: its unsettled records are given up. */
async function stopStalled(place: AgentBench): Promise<void> {
  const stopped = place.stop();
  const count = place.events.length;
  while (!place.events.slice(count).some((event) => event.type === "flow-stopped")) {
    place.system.advance(1_000);
    await place.system.breathe();
  }
  await stopped;
}

test("scenario 30: a clean restart goes on, with no loss and no repetition", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 10)));
  place.start();
  await place.catchUp();
  await place.stop();
  place.append("app.log", text(numbered("a", 11, 20)));
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(numbered("a", 1, 20));
});

test("[C10] scenario 31: what a stalled destination never stored is read again after a restart", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 10)));
  place.start();
  await place.catchUp();
  place.destination.fateOf = never;
  place.append("app.log", text(numbered("a", 11, 20)));
  while (place.destination.puts < 20) {
    place.system.advance(100);
    await place.system.breathe();
  }
  await stopStalled(place);
  place.destination.fateOf = () => undefined;
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(numbered("a", 1, 20));
});

test.each([true, false])("scenario 32: rotation while stopped (everything stored before: %s)", async (isStored) => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 10)));
  if (!isStored) place.destination.fateOf = never;
  place.start();
  if (isStored) {
    await place.catchUp();
    await place.stop();
  } else {
    while (place.destination.puts < 10) await place.system.breathe();
    await stopStalled(place);
  }
  place.destination.fateOf = () => undefined;
  place.append("app.log", "a 11\n");
  place.rename("app.log", "app.log.1");
  place.write("app.log", text(numbered("b", 1, 5)));
  place.start();
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 11), ...numbered("b", 1, 5)]);
});

test.each([true, false])(
  "scenario 33: the file of a position is gone; other files are there: %s",
  async (hasOthers) => {
    const place = createBench();
    place.write("app.log", "a\n");
    place.start();
    await place.catchUp();
    await place.stop();
    place.remove("app.log");
    if (hasOthers) place.write("other.log", "b\n");
    place.start();
    await place.settle();
    expect(place.lines).toEqual(hasOthers ? ["a\n", "b\n"] : ["a\n"]);
  },
);

test("scenario 34: the file is shorter than its position", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 50)));
  place.start();
  await place.catchUp();
  await place.stop();
  place.write("app.log", "b\n");
  place.start();
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 50), "b\n"]);
});

test("scenario 35: a restart in the middle of a line completes it once", async () => {
  const place = createBench();
  place.write("app.log", "one\ntw");
  place.start();
  await place.catchUp();
  await place.stop();
  place.append("app.log", "o\n");
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(["one\n", "two\n"]);
});

test("scenario 36: a new file under an inode that was used before is read from its start", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 20)));
  place.start();
  await place.catchUp();
  await place.stop();
  // The same inode with other bytes: what a reused inode looks like.
  place.write("app.log", text(numbered("b", 1, 40)));
  place.start();
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 20), ...numbered("b", 1, 40)]);
});

test("scenario 38: a damaged positions file is refused, and says what to do", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  await place.stop();
  writeFileSync(place.positionsPath, "this is no database, and it is long enough to be one".repeat(100));
  expect(() => place.start()).toThrow(/damaged|not a database/);
});

test("scenario 38: an empty positions file is a new one", async () => {
  const place = createBench();
  place.write("state/positions.db", "");
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(["a\n"]);
});

test("scenario 39: the directory of the positions is made, and a second agent is kept out", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  expect(existsSync(place.positionsPath)).toBe(true);
  expect(() => place.start()).toThrow(/in use by another agent/);
});

test("scenario 39: rows of files that have been gone for long are removed", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  await place.stop();
  place.remove("app.log");
  place.start();
  await place.catchUp();
  await place.pass(8 * 86_400_000);
  await place.pass(8 * 86_400_000);
  await place.stop();
  const database = new DatabaseSync(place.positionsPath);
  expect(database.prepare("SELECT count(*) AS count FROM generation").get()).toEqual({ count: 0 });
  database.close();
});

test("scenario 41: a fingerprint that was saved while the file was short still fits when it has grown", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.start();
  await place.catchUp();
  await place.stop();
  place.append("app.log", text(numbered("more", 1, 500)));
  place.start();
  await place.catchUp();
  await place.restart();
  await place.catchUp();
  expect(place.lines).toEqual(["a\n", ...numbered("more", 1, 500)]);
});

test("scenario 42: two files that begin alike and differ later are both read whole", async () => {
  const place = createBench();
  const banner = text(numbered("banner", 1, 200));
  place.write("a.log", banner);
  place.start();
  await place.catchUp();
  place.write("b.log", banner);
  await place.pass(2_000);
  place.append("a.log", "a\n");
  place.append("b.log", "b\n");
  await place.settle();
  const expected = [...numbered("banner", 1, 200), ...numbered("banner", 1, 200), "a\n", "b\n"];
  expect(place.lines.toSorted()).toEqual(expected.toSorted());
});

test("scenario 42: two files that never differ are ambiguous: counted, and read under the default policy", async () => {
  const place = createBench();
  place.write("a.log", "same\n");
  place.start();
  await place.catchUp();
  place.write("b.log", "same\n");
  await place.settle();
  expect(place.lines).toEqual(["same\n", "same\n"]);
  expect(place.agent.status()[0]?.counters.ambiguousFiles).toBe(1);
});

test("scenario 43: nothing repeats after three restarts", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 300)));
  place.start();
  await place.catchUp();
  for (let restart = 0; restart < 3; restart++) {
    await place.restart();
    await place.catchUp();
  }
  expect(place.lines).toEqual(numbered("a", 1, 300));
});

test("scenario 44: stopping while nothing is there, and with a file that was just deleted", async () => {
  const place = createBench();
  place.start();
  await place.restart();
  place.write("app.log", "a\n");
  await place.catchUp();
  place.remove("app.log");
  await place.restart();
  await place.settle();
  expect(place.lines).toEqual(["a\n"]);
});

test("scenario 44: stopping while the destination answers nothing ends after shutdownTimeoutMillis, and loses nothing", async () => {
  const place = createBench();
  place.write("app.log", "a\nb\n");
  place.destination.fateOf = () => new Promise<undefined>(() => undefined);
  place.start({}, { shutdownTimeoutMillis: 3_000 });
  while (place.destination.puts < 2) await place.system.breathe();
  const startedMs = place.system.now();
  const stopped = place.stop();
  while (!place.events.some((event) => event.type === "flow-stopped")) {
    place.system.advance(100);
    await place.system.breathe();
  }
  await stopped;
  expect(place.system.now() - startedMs).toBeGreaterThanOrEqual(3_000);
  place.destination.fateOf = () => undefined;
  place.start();
  await place.catchUp();
  expect(place.lines).toEqual(["a\n", "b\n"]);
});

test("scenario 45: a file that shrinks while half a line of it is held", async () => {
  const place = createBench();
  place.write("app.log", "a\nhalf a li");
  place.start();
  await place.catchUp();
  place.truncate("app.log", 2);
  await place.catchUp();
  place.append("app.log", "b\n");
  await place.settle();
  expect(place.lines).toEqual(["a\n", "b\n"]);
  expect(place.lostBytes).toBe("half a li".length);
});

test("a flow's first start begins at the end of what is there; later files are read from their start", async () => {
  const place = createBench("*.log", { initialPosition: "END_OF_FILE" });
  place.write("old.log", "before\nhalf ");
  place.start();
  await place.catchUp();
  place.append("old.log", "line\n");
  place.write("new.log", "new\n");
  await place.settle();
  await place.stop();
  place.write("while-stopped.log", "stopped\n");
  place.start();
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["half line\n", "new\n", "stopped\n"].toSorted());
});

test("a flow that found no file at its first start reads what comes from its start, after a restart too", async () => {
  const place = createBench("*.log", { initialPosition: "END_OF_FILE" });
  place.start();
  await place.catchUp();
  await place.stop();
  place.write("app.log", "a\n");
  place.start();
  await place.settle();
  expect(place.lines).toEqual(["a\n"]);
});
