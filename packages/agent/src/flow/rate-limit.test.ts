import { afterEach, expect, test } from "vitest";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

test.each([
  ["maxRecordsPerSecond", { maxRecordsPerSecond: 10 }],
  // Each line is five bytes long.
  ["maxBytesPerSecond", { maxBytesPerSecond: 50 }],
])("%s holds a flow to its rate, and nothing is lost for it", async (_, flow) => {
  const place = createBench();
  const lines = numbered("a", 10, 59);
  place.write("app.log", lines.join(""));
  place.start(flow);
  while (place.lines.length < 10) await place.system.breathe();
  for (let second = 1; second <= 4; second++) {
    for (let turn = 0; turn < 50; turn++) await place.system.breathe();
    expect(place.lines).toHaveLength(10 * second);
    place.system.advance(1_000);
    while (place.lines.length < 10 * (second + 1)) await place.system.breathe();
  }
  await place.catchUp();
  expect(place.lines).toEqual(lines);
});

test("a record larger than the rate passes, once", async () => {
  const place = createBench();
  place.write("app.log", `${"x".repeat(500)}\nb\n`);
  place.start({ maxBytesPerSecond: 100 });
  while (place.lines.length < 1) await place.system.breathe();
  while (place.lines.length < 2) {
    place.system.advance(1_000);
    await place.system.breathe();
  }
  expect(place.system.now()).toBeGreaterThanOrEqual(4_000);
});
