import { afterEach, expect, test } from "vitest";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

const text = (lines: readonly string[]) => lines.join("");

test("[C9] scenario 25: truncated to nothing, then written less than before", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 50)));
  place.start();
  await place.catchUp();
  place.truncate("app.log");
  place.append("app.log", "b\n");
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 50), "b\n"]);
  expect(place.lostBytes).toBe(0);
});

test.each([50, 80])("scenario 26: truncated and filled with %i lines between two looks", async (count) => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 50)));
  place.start();
  await place.catchUp();
  place.truncate("app.log");
  place.append("app.log", text(numbered("b", 1, count)));
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 50), ...numbered("b", 1, count)]);
});

test("scenario 27: what a truncated file holds is read whole, which loses nothing", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 50)));
  place.start();
  await place.catchUp();
  place.write("app.log", text(numbered("a", 1, 5)));
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 50), ...numbered("a", 1, 5)]);
});

test("scenario 28: copy and truncate while the agent is stopped: only new data is read", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 100)));
  place.start();
  await place.catchUp();
  await place.stop();
  place.copy("app.log", "app.log.1");
  place.truncate("app.log");
  place.append("app.log", text(numbered("b", 1, 5)));
  place.start();
  await place.settle();
  expect(place.lines).toEqual([...numbered("a", 1, 100), ...numbered("b", 1, 5)]);
});

test("scenario 29: truncated several times between two looks, and while it is read", async () => {
  const place = createBench();
  place.write("app.log", text(numbered("a", 1, 30_000)));
  place.start();
  const caught = place.catchUp();
  while (place.lines.length === 0) await place.system.breathe();
  place.truncate("app.log");
  place.append("app.log", text(numbered("lost", 1, 3)));
  place.truncate("app.log");
  place.append("app.log", text(numbered("b", 1, 3)));
  await caught;
  await place.settle();
  const read = place.lines.filter((line) => line.startsWith("a"));
  expect(read).toEqual(numbered("a", 1, read.length));
  expect(place.lines.slice(read.length)).toEqual(numbered("b", 1, 3));
  const seenBytes = Buffer.byteLength(text(numbered("a", 1, 30_000)));
  expect(place.lostBytes).toBe(seenBytes - Buffer.byteLength(text(read)));
});
