import { afterEach, expect, test } from "vitest";
import { realFileSystem } from "../io/file-system.ts";
import { AgentBench } from "../testing-support/agent-bench.ts";
import type { OpenFile } from "./files.ts";

let place: AgentBench;

afterEach(() => place[Symbol.asyncDispose]());

test("[C9] a file that was empty when it was seen gives its lines, though it was rotated away before the next look", async () => {
  place = new AgentBench("app.log");
  place.write("app.log", "");
  place.start();
  await place.catchUp();
  place.append("app.log", "a\nb\n");
  place.rename("app.log", "app.log.1");
  place.write("app.log", "c\n");
  await place.catchUp();
  expect(place.lines).toEqual(["a\n", "b\n", "c\n"]);
});

test("[C9] the same, when it was deleted", async () => {
  place = new AgentBench("app.log");
  place.write("app.log", "");
  place.start();
  await place.catchUp();
  place.append("app.log", "a\n");
  place.remove("app.log");
  await place.catchUp();
  expect(place.lines).toEqual(["a\n"]);
});

test("[C9] a file that cannot be read at first gives its lines, though it was rotated away before it could be", async () => {
  place = new AgentBench("app.log");
  place.write("app.log", "");
  let failures = 0;
  const open = async (path: string) => {
    const opened = await realFileSystem.open(path);
    if (!opened.ok) return opened;
    const read: OpenFile["read"] = (target, positionBytes) => {
      if (failures++ > 0) return opened.file.read(target, positionBytes);
      place.rename("app.log", "app.log.1");
      place.write("app.log", "c\n");
      return Promise.reject(Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read" }));
    };
    return { ok: true, file: { ...opened.file, read } } as const;
  };
  place.start({}, {}, { files: { ...realFileSystem, open } });
  await place.catchUp();
  place.append("app.log", "a\nb\n");
  await place.catchUp();
  await place.catchUp();
  expect(failures).toBeGreaterThan(1);
  expect(place.lines).toEqual(["a\n", "b\n", "c\n"]);
});

test("a file that stays empty is looked at again without being opened anew", async () => {
  place = new AgentBench("app.log");
  place.write("app.log", "");
  place.start();
  await place.catchUp();
  await place.catchUp();
  place.append("app.log", "a\n");
  await place.catchUp();
  expect(place.lines).toEqual(["a\n"]);
  expect(place.events.filter((event) => event.type === "file-found")).toHaveLength(1);
});
