import { afterEach, expect, test } from "vitest";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

const text = (lines: readonly string[]) => lines.join("");
const never = () => new Promise<undefined>(() => undefined);

test.each(["app.log.1", "app.log.2"])(
  "[C9] a copy outside the pattern is read on after a restart, which finds it as %s",
  async (name) => {
    // The destination is stalled, the log is copied and truncated, and the agent goes on in the copy. It stops; the next
    // rotation may rename the copy; the agent that comes back knows it as `app.log.1`.
    const place = createBench("app.log");
    place.write("app.log", text(numbered("a", 1, 100)));
    place.start();
    await place.catchUp();
    place.destination.fateOf = never;
    place.append("app.log", text(numbered("a", 101, 120)));
    while (place.destination.puts < 120) {
      place.system.advance(100);
      await place.system.breathe();
    }
    place.copy("app.log", "app.log.1");
    place.truncate("app.log");
    while (!place.events.some((event) => event.type === "file-rotated" && event.how === "copied")) {
      place.system.advance(100);
      await place.system.breathe();
    }
    const stopped = place.stop();
    while (!place.events.some((event) => event.type === "flow-stopped")) {
      place.system.advance(1_000);
      await place.system.breathe();
    }
    await stopped;
    if (name !== "app.log.1") place.rename("app.log.1", name);
    place.destination.fateOf = () => undefined;
    place.start();
    await place.settle();
    expect(place.lines).toEqual(numbered("a", 1, 120));
  },
);

test("[C9] [C10] a log that was let go before it was stored is looked for after a restart", async () => {
  // The log is renamed and read to its end, and nothing of it is stored. After rotateWaitMillis the agent lets it go, and
  // stops before the destination answers again.
  const place = createBench("app.log", { rotateWaitMillis: 1_000 });
  place.write("app.log", text(numbered("a", 1, 20)));
  place.destination.fateOf = never;
  place.start();
  while (place.destination.puts < 20) {
    place.system.advance(100);
    await place.system.breathe();
  }
  place.rename("app.log", "app.log.1");
  while (place.agent.status()[0]?.files[0]?.status !== "missing") {
    place.system.advance(500);
    await place.system.breathe();
  }
  const stopped = place.stop();
  while (!place.events.some((event) => event.type === "flow-stopped")) {
    place.system.advance(1_000);
    await place.system.breathe();
  }
  await stopped;
  place.destination.fateOf = () => undefined;
  place.start();
  await place.settle();
  expect(place.lines).toEqual(numbered("a", 1, 20));
});

test("[C9] a log that came and went while the agent was stopped is read from where rotation put it", async () => {
  const place = createBench("app.log");
  place.write("app.log", text(numbered("a", 1, 10)));
  place.start();
  await place.catchUp();
  await place.stop();
  // Not deleted: its inode must not be given to one of the others here.
  place.rename("app.log", "archived");
  place.write("app.log.1", text(numbered("b", 1, 10)));
  place.write("app.log", text(numbered("c", 1, 10)));
  place.start();
  await place.settle();
  expect(place.lines.toSorted()).toEqual(["a", "b", "c"].flatMap((name) => numbered(name, 1, 10)).toSorted());
});
