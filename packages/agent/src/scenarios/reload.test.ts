import { ConfigError } from "@millrace/core/options";
import { afterEach, expect, test } from "vitest";
import { Agent } from "../agent.ts";
import type { AgentConfigInput, FlowConfigInput } from "../config/schema.ts";
import type { AgentEvent } from "../events.ts";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";
import { MemoryDestination } from "../testing-support/memory-destination.ts";

afterEach(closeBenches);

const configOf = (...flows: FlowConfigInput[]): AgentConfigInput => ({ flows });

/** An agent whose flows each have a destination that outlives reloads. */
function reloadable(...streams: string[]) {
  const place = createBench();
  const destinations = new Map<string, MemoryDestination>();
  const destinationOf = (stream: string) => {
    const destination = destinations.get(stream) ?? new MemoryDestination();
    destinations.set(stream, destination);
    return destination;
  };
  const made: string[] = [];
  const events: AgentEvent[] = [];
  const flowOf = (stream: string, more: Partial<FlowConfigInput> = {}): FlowConfigInput => ({
    filePattern: place.path(`${stream}.log`),
    kinesisStream: stream,
    initialPosition: "START_OF_FILE",
    ...more,
  });
  const agent = new Agent(
    {
      config: configOf(...streams.slice(0, 2).map((stream) => flowOf(stream))),
      positionsPath: place.positionsPath,
      onEvent: (event) => events.push(event),
    },
    {
      system: place.system,
      createDestination: ({ kinesisStream = "" }) => {
        made.push(kinesisStream);
        return destinationOf(kinesisStream);
      },
    },
  );
  const linesOf = (stream: string) => destinationOf(stream).lines;
  return { place, agent, events, made, flowOf, linesOf, destinationOf };
}

const counts = (events: readonly AgentEvent[]) => events.findLast((event) => event.type === "reloaded");

test("scenario 75: a reload leaves unchanged flows alone, drains and restarts changed ones, adds and removes others", async () => {
  const { agent, events, flowOf, linesOf, made, place } = reloadable("a", "b", "c");
  for (const stream of ["a", "b", "c"]) place.write(`${stream}.log`, `${stream} 1\n`);
  agent.start();
  await agent.catchUp();
  const [before] = agent.status();
  await agent.reload(configOf(flowOf("c"), flowOf("a")));
  expect(counts(events)).toMatchObject({ unchanged: 1, added: 1, changed: 0, removed: 1 });
  expect(made).toEqual(["a", "b", "c"]);
  for (const stream of ["a", "b", "c"]) place.append(`${stream}.log`, `${stream} 2\n`);
  await agent.catchUp();
  expect(agent.status().map(({ flow }) => flow.split(":")[1])).toEqual(["c", "a"]);
  // The counters and the generation of an untouched flow go on.
  expect(agent.status()[1]?.counters.recordsSent).toBe((before?.counters.recordsSent ?? 0) + 1);
  expect(agent.status()[1]?.files[0]?.generation).toBe(before?.files[0]?.generation);
  // Back again, and changed: it goes on where it had been, and nothing of what came meanwhile is missed.
  await agent.reload(configOf(flowOf("c", { maxBufferAgeMillis: 1_000 }), flowOf("a"), flowOf("b")));
  expect(counts(events)).toMatchObject({ unchanged: 1, added: 1, changed: 1, removed: 0 });
  await agent.catchUp();
  await agent.close();
  for (const stream of ["a", "b", "c"]) expect(linesOf(stream)).toEqual([`${stream} 1\n`, `${stream} 2\n`]);
  expect(agent.lastReload).toMatchObject({ ok: true });
});

test("[C10] a reload waits until what a changed flow read is stored, and repeats none of it", async () => {
  const { agent, destinationOf, flowOf, linesOf, place } = reloadable("a", "b");
  place.write("a.log", numbered("a", 1, 50).join(""));
  let release: (() => void) | undefined;
  const released = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  destinationOf("a").fateOf = () => released;
  agent.start();
  while (destinationOf("a").puts < 50) await place.system.breathe();
  const reloaded = agent.reload(configOf(flowOf("a", { stripNewline: true }), flowOf("b")));
  for (let turn = 0; turn < 100; turn++) await place.system.breathe();
  expect(agent.lastReload).toBeUndefined();
  release?.();
  await reloaded;
  place.append("a.log", "a 51\n");
  await agent.catchUp();
  await agent.close();
  expect(linesOf("a")).toEqual([...numbered("a", 1, 50), "a 51"]);
});

test("[C9] scenario 75: a flow whose destination is stuck is restarted after shutdownTimeoutMillis, and loses nothing", async () => {
  const { agent, destinationOf, flowOf, linesOf, place } = reloadable("a", "b");
  place.write("a.log", "a 1\n");
  destinationOf("a").fateOf = () => new Promise<undefined>(() => undefined);
  agent.start();
  while (destinationOf("a").puts !== 1) await place.system.breathe();
  let isDone = false;
  const reload = async () => {
    await agent.reload(configOf(flowOf("a", { stripNewline: true }), flowOf("b")));
    isDone = true;
  };
  const reloaded = reload();
  const hasReloaded = () => isDone;
  while (!hasReloaded()) {
    place.system.advance(1_000);
    await place.system.breathe();
  }
  await reloaded;
  destinationOf("a").fateOf = () => undefined;
  await agent.catchUp();
  await agent.close();
  expect(linesOf("a")).toEqual(["a 1"]);
});

test.each<[string, (made: ReturnType<typeof reloadable>) => unknown, string]>([
  ["a flow twice", ({ flowOf }) => configOf(flowOf("a"), flowOf("a")), "flows[1]"],
  ["an unknown key", ({ flowOf }) => ({ ...configOf(flowOf("a")), nonsense: 1 }), "nonsense"],
  ["another positions file", ({ flowOf }) => ({ ...configOf(flowOf("a")), positionsFile: "/x" }), "positionsFile"],
  ["another port", ({ flowOf }) => ({ ...configOf(flowOf("a")), "http.port": 5 }), "http.port"],
])("scenario 75: a new configuration with %s is refused, and the old one goes on", async (_, wrong, path) => {
  const made = reloadable("a", "b");
  const { agent, events, linesOf, place } = made;
  place.write("a.log", "a 1\n");
  agent.start();
  await agent.catchUp();
  await expect(agent.reload(wrong(made) as AgentConfigInput)).rejects.toThrow(ConfigError);
  place.append("a.log", "a 2\n");
  await agent.catchUp();
  expect(agent.lastReload).toMatchObject({ ok: false, error: expect.stringContaining(path) });
  expect(events).toContainEqual(expect.objectContaining({ type: "reload-refused" }));
  expect(agent.status()).toHaveLength(2);
  await agent.close();
  expect(linesOf("a")).toEqual(["a 1\n", "a 2\n"]);
});
