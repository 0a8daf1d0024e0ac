import { afterEach, describe, expect, test } from "vitest";
import { AgentBench, numbered, type BenchFlow } from "./testing-support/agent-bench.ts";
import { ScopedError } from "./testing-support/memory-destination.ts";

const benches: AgentBench[] = [];

function bench(pattern?: string, flow?: BenchFlow): AgentBench {
  const made = new AgentBench(pattern, flow);
  benches.push(made);
  return made;
}

afterEach(async () => {
  for (const made of benches.splice(0)) await made[Symbol.asyncDispose]();
});

describe("an agent over real files", () => {
  test("ships every line, byte for byte, and what is appended later", async () => {
    const place = bench();
    place.write("app.log", "one\ntwo\r\n\nfour\n");
    place.start();
    await place.catchUp();
    place.append("app.log", "five\n");
    await place.catchUp();
    expect(place.lines).toEqual(["one\n", "two\r\n", "\n", "four\n", "five\n"]);
  });

  test("passes bytes that are no text", async () => {
    const place = bench();
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);
    place.write("app.log", bytes);
    place.start();
    await place.agent.drain();
    expect(Buffer.concat(place.destination.stored.map((record) => record.data))).toEqual(Buffer.from(bytes));
    expect(place.destination.stored).toHaveLength(2);
  });

  test("holds a line without newline until it is complete, and sends it at a drain", async () => {
    const place = bench();
    place.write("app.log", "one\ntw");
    place.start();
    await place.catchUp();
    expect(place.lines).toEqual(["one\n"]);
    place.append("app.log", "o\nthr");
    await place.catchUp();
    expect(place.lines).toEqual(["one\n", "two\n"]);
    await place.agent.drain();
    expect(place.lines).toEqual(["one\n", "two\n", "thr"]);
  });

  test("[C10] a restart goes on after the last stored line", async () => {
    const place = bench();
    place.write("app.log", numbered("a", 1, 500).join(""));
    place.start();
    await place.catchUp();
    await place.stop();
    place.append("app.log", numbered("a", 501, 600).join(""));
    place.start();
    await place.catchUp();
    expect(place.lines).toEqual(numbered("a", 1, 600));
  });

  test("[C10] scenario 69: a position does not pass a record that is not stored, though later ones are", async () => {
    const place = bench("*.log", {});
    place.write("app.log", numbered("a", 1, 10).join(""));
    place.destination.fateOf = (record) =>
      Buffer.from(record.data).toString() === "a 4\n" ? new Promise<undefined>(() => undefined) : undefined;
    place.start();
    while (place.lines.length < 9) await place.system.breathe();
    const stopped = place.stop();
    while (!place.events.some((event) => event.type === "flow-stopped")) {
      place.system.advance(1_000);
      await place.system.breathe();
    }
    await stopped;
    place.destination.fateOf = () => undefined;
    place.start();
    await place.catchUp();
    expect(place.lines.filter((line) => line === "a 4\n")).toHaveLength(1);
    expect(new Set(place.lines)).toEqual(new Set(numbered("a", 1, 10)));
    expect(place.lines).toHaveLength(9 + 7);
  });

  test("pauses at a failure of the stream and sends again in file order, for as long as it takes", async () => {
    const place = bench();
    place.write("app.log", numbered("a", 1, 5).join(""));
    place.destination.fateOf = (_, put) => (put <= 10 ? new ScopedError("stream") : undefined);
    place.start();
    while (place.lines.length < 5) {
      place.system.advance(10_000);
      await place.system.breathe();
    }
    expect(place.lines).toEqual(numbered("a", 1, 5));
    expect(place.events.filter((event) => event.type === "flow-paused").length).toBeGreaterThan(1);
    expect(place.events.some((event) => event.type === "flow-resumed")).toBe(true);
  });

  test("writes a record that will never be accepted to the dead letters, and goes on", async () => {
    const place = bench();
    place.write("app.log", numbered("a", 1, 5).join(""));
    place.destination.fateOf = (record) =>
      Buffer.from(record.data).toString() === "a 2\n" ? new ScopedError("record") : undefined;
    place.start();
    await place.catchUp();
    expect(place.lines).toEqual(["a 1\n", "a 3\n", "a 4\n", "a 5\n"]);
    expect(place.agent.status()[0]?.counters.recordsUndeliverable).toBe(1);
  });

  test("names the keys that change nothing when it starts", () => {
    const place = bench();
    place.start({ publishQueueCapacity: 5 });
    expect(place.events.find((event) => event.type === "config-warning")).toMatchObject({
      path: "flows[0].publishQueueCapacity",
    });
  });

  test("scenario 1: a file renamed and created anew gives all of both", async () => {
    const place = bench();
    place.write("app.log", "a\nb\n");
    place.start();
    await place.catchUp();
    place.append("app.log", "c\n");
    place.rename("app.log", "app.log.1");
    place.write("app.log", "d\n");
    await place.catchUp();
    expect(place.lines).toEqual(["a\n", "b\n", "c\n", "d\n"]);
  });

  test("scenario 15: a file moved out of the pattern is read to its end", async () => {
    const place = bench("app.log");
    place.write("app.log", "a\n");
    place.start();
    await place.catchUp();
    place.append("app.log", "b\n");
    place.rename("app.log", "elsewhere");
    place.append("elsewhere", "c\n");
    await place.catchUp();
    expect(place.lines).toEqual(["a\n", "b\n", "c\n"]);
  });
});
