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

test("with watchFiles a line in an idle file, and a new file, are found though no time passes until they are due", async () => {
  const place = createBench("logs/*.log");
  place.write("logs/app.log", "a\n");
  place.start({}, { watchFiles: true });
  await place.catchUp();
  /** Until the next look at an idle file, and the next scan, half a second has to pass, which never does. */
  const idle = async () => {
    for (let round = 0; round < 12; round++) await place.pass(1_000);
    place.system.advance(500);
  };
  const find = async (count: number) => {
    while (place.lines.length < count) await place.system.breathe();
  };
  await idle();
  place.append("logs/app.log", "b\n");
  await find(2);
  await idle();
  place.write("logs/new.log", "c\n");
  await find(3);
  expect(place.lines).toEqual(["a\n", "b\n", "c\n"]);
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
