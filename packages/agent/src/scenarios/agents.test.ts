import { afterEach, expect, test } from "vitest";
import { Agent } from "../agent.ts";
import type { AgentEvent } from "../events.ts";
import { MemoryPositionStore } from "../flow/memory-position-store.ts";
import { realFileSystem } from "../io/file-system.ts";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";
import { MemoryDestination } from "../testing-support/memory-destination.ts";

afterEach(closeBenches);

const failing = () => Promise.reject(Object.assign(new Error("EIO"), { code: "EIO", syscall: "read" }));

class FullDiskStore extends MemoryPositionStore {
  isFull = true;

  override save(...parts: Parameters<MemoryPositionStore["save"]>): void {
    if (this.isFull) throw new Error("database or disk is full");
    super.save(...parts);
  }

  override close(): void {
    // The rows outlive the agent, as a file does.
  }
}

test("[C10] scenario 72: positions that cannot be saved are reported once, delay nothing, and are saved later", async () => {
  const place = createBench();
  const store = new FullDiskStore();
  const events: AgentEvent[] = [];
  const create = (destination: MemoryDestination) =>
    new Agent(
      {
        flows: [{ filePattern: place.path("*.log"), kinesisStream: "s", initialPosition: "START_OF_FILE" }],
        onEvent: (event) => events.push(event),
      },
      { system: place.system, store, createDestination: () => destination },
    );
  place.write("app.log", numbered("a", 1, 3).join(""));
  const first = create(place.destination);
  first.start();
  await first.catchUp();
  place.append("app.log", "a 4\n");
  await first.catchUp();
  expect(place.lines).toEqual(numbered("a", 1, 4));
  expect(events.filter((event) => event.type === "positions-not-saved")).toHaveLength(1);
  store.isFull = false;
  await first.catchUp();
  await first.close();
  place.append("app.log", "a 5\n");
  const later = new MemoryDestination();
  const second = create(later);
  second.start();
  await second.catchUp();
  await second.close();
  expect(later.lines).toEqual(["a 5\n"]);
});

test("scenario 75: two flows over the same file each send all of it, and keep their own positions", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  const destinations = new Map([
    ["one", new MemoryDestination()],
    ["two", new MemoryDestination()],
  ]);
  const flow = { filePattern: place.path("*.log"), initialPosition: "START_OF_FILE" } as const;
  const runOnce = async () => {
    const agent = new Agent(
      {
        flows: [
          { ...flow, kinesisStream: "one" },
          { ...flow, kinesisStream: "two" },
        ],
        positionsPath: place.positionsPath,
      },
      {
        system: place.system,
        createDestination: ({ kinesisStream = "" }) => destinations.get(kinesisStream) ?? new MemoryDestination(),
      },
    );
    agent.start();
    await agent.drain();
  };
  await runOnce();
  place.append("app.log", "b\n");
  await runOnce();
  for (const destination of destinations.values()) expect(destination.lines).toEqual(["a\n", "b\n"]);
});

test("a drain ends though one file keeps failing to be read, and reports that file", async () => {
  const place = createBench();
  place.write("bad.log", "lost to a bad disk\n");
  place.write("good.log", "good\n");
  const events: AgentEvent[] = [];
  const agent = new Agent(
    {
      flows: [{ filePattern: place.path("*.log"), kinesisStream: "s", initialPosition: "START_OF_FILE" }],
      positionsPath: place.positionsPath,
      onEvent: (event) => events.push(event),
    },
    {
      system: place.system,
      createDestination: () => place.destination,
      files: {
        ...realFileSystem,
        open: async (path) => {
          const opened = await realFileSystem.open(path);
          if (!opened.ok || !path.endsWith("bad.log")) return opened;
          const { file } = opened;
          return { ok: true, file: { stat: () => file.stat(), close: () => file.close(), read: failing } };
        },
      },
    },
  );
  agent.start();
  let isDrained = false;
  const drain = async () => {
    await agent.drain();
    isDrained = true;
  };
  const drained = drain();
  const hasDrained = () => isDrained;
  for (let turn = 0; !hasDrained() && turn < 20_000; turn++) {
    place.system.advance(100);
    await place.system.breathe();
  }
  expect(isDrained).toBe(true);
  await drained;
  expect(place.lines).toEqual(["good\n"]);
  expect(events).toContainEqual(expect.objectContaining({ type: "file-unreadable", code: "EIO" }));
});
