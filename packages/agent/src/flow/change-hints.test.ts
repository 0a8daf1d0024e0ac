import { setTimeout as wait } from "node:timers/promises";
import { realSystem } from "@millrace/core/runtime";
import { afterEach, expect, test } from "vitest";
import { Agent } from "../agent.ts";
import { closeBenches, createBench } from "../testing-support/agent-bench.ts";
import { ManualSystem } from "../testing-support/manual-system.ts";
import { realFileSystem } from "../io/file-system.ts";
import { ChangeHints } from "./change-hints.ts";
import type { Change } from "./files.ts";

afterEach(closeBenches);

/** Hints over a file system that says what the test says. */
function hintsOver() {
  const system = new ManualSystem(() => realSystem.breathe());
  const watched = new Map<string, (change?: Change) => void>();
  const log: string[] = [];
  const hints = new ChangeHints({
    system,
    onHint: () => log.push("hint"),
    files: {
      ...realFileSystem,
      watch: ([directory = ""], onChange) => {
        watched.set(directory, onChange);
        log.push(`watch ${directory}`);
        return {
          close: () => {
            watched.delete(directory);
            log.push(`close ${directory}`);
          },
        };
      },
    },
  });
  return { system, watched, hints, log: () => log.splice(0) };
}

const content = (path: string): Change => ({ kind: "content", path });

test("directories are watched once, and let go when no file is in them", () => {
  const { hints, log } = hintsOver();
  hints.follow(1, () => ["/a/x", "/a/y", "/b/z"]);
  expect(log()).toEqual(["watch /a", "watch /b"]);
  hints.follow(1, () => ["/c/x"]);
  expect(log()).toEqual([]);
  hints.follow(2, () => ["/c/x", "/a/x"]);
  expect(log()).toEqual(["close /b", "watch /c"]);
  hints.close();
  expect(log().toSorted()).toEqual(["close /a", "close /c"]);
});

test("a hint comes at once, the next ones after 20 ms, and what they say is taken once", () => {
  const { hints, log, system, watched } = hintsOver();
  hints.follow(1, () => ["/a/x"]);
  log();
  watched.get("/a")?.(content("/a/x"));
  watched.get("/a")?.(content("/a/y"));
  expect(log()).toEqual(["hint"]);
  expect(hints.take()).toEqual({ paths: new Set(["/a/x", "/a/y"]), entries: false });
  watched.get("/a")?.({ kind: "entry" });
  system.advance(19);
  expect(log()).toEqual([]);
  system.advance(1);
  expect(log()).toEqual(["hint"]);
  expect(hints.take()).toEqual({ paths: new Set(), entries: true });
  expect(hints.take()).toEqual({ paths: new Set(), entries: false });
});

test("a directory in which much happens is let go until the next scan; one that ends, too", () => {
  const { hints, log, watched } = hintsOver();
  hints.follow(1, () => ["/a/x"]);
  for (let event = 0; event < 200; event++) watched.get("/a")?.(content("/a/x"));
  expect(log()).toContain("close /a");
  hints.follow(1, () => []);
  expect(log()).toEqual(["watch /a"]);
  watched.get("/a")?.({ kind: "end" });
  expect(log()).toContain("close /a");
});

test("at most 256 directories are watched, and those that say nothing are watched anew each minute", () => {
  const { hints, log, system } = hintsOver();
  hints.follow(1, () => Array.from({ length: 300 }, (_, index) => `/d${index}/x`));
  expect(log()).toHaveLength(256);
  system.advance(59_999);
  hints.follow(1, () => ["/d0/x"]);
  log();
  system.advance(1);
  hints.follow(1, () => []);
  expect(log()).toEqual(["close /d0", "watch /d0"]);
});

test("with watchFiles a line is sent, and a new file found, long before they would be looked at", async () => {
  const place = createBench("logs/*.log");
  place.write("logs/app.log", "a\n");
  place.start({}, { watchFiles: true });
  await place.catchUp();
  /** Lets time pass until so many lines have come, no faster than the kernel's events arrive; gives how much it was. */
  const waitFor = async (count: number) => {
    const startedMs = place.system.now();
    while (place.lines.length < count) {
      place.system.advance(1);
      await wait(5);
    }
    return place.system.now() - startedMs;
  };
  // Idle for long: a look each second is due by now.
  place.system.advance(500_000);
  await place.catchUp();
  place.append("logs/app.log", "b\n");
  expect(await waitFor(2)).toBeLessThan(500);
  place.write("logs/new.log", "c\n");
  expect(await waitFor(3)).toBeLessThan(700);
  place.append("logs/app.log", "d\n");
  place.rename("logs/app.log", "logs/old");
  place.write("logs/app.log", "e\n");
  expect(await waitFor(5)).toBeLessThan(900);
  expect(place.lines).toEqual(["a\n", "b\n", "c\n", "d\n", "e\n"]);
});

test("scenario 51, 52: events that come by the thousand, and lead nowhere, hold nothing up", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  let floods = 0;
  const flood = async (onChange: (change?: Change) => void) => {
    await place.system.breathe();
    floods += 1;
    for (let event = 0; event < 5_000; event++) onChange(event % 2 === 0 ? { kind: "entry" } : content("/no"));
  };
  const agent = new Agent(
    {
      flows: [{ filePattern: place.path("*.log"), kinesisStream: "s", initialPosition: "START_OF_FILE" }],
      positionsPath: place.positionsPath,
    },
    {
      system: place.system,
      createDestination: () => place.destination,
      files: {
        ...realFileSystem,
        watch: (_, onChange) => {
          void flood(onChange);
          return { close: () => undefined };
        },
      },
    },
  );
  agent.start();
  await agent.catchUp();
  place.append("app.log", "b\n");
  while (place.lines.length < 2) {
    place.system.advance(100);
    await place.system.breathe();
  }
  await agent.close();
  expect(floods).toBeGreaterThan(0);
  expect(place.lines).toEqual(["a\n", "b\n"]);
});
