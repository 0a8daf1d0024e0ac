import { mkdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { realSystem } from "@millrace/core/runtime";
import { afterEach, expect, test } from "vitest";
import {
  type AgentBench,
  type BenchFlow,
  closeBenches,
  createBench,
  numbered,
} from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

const text = (lines: readonly string[]) => lines.join("");
const minuteMs = 60_000;

/** What the Kinesis Agent's database says of a file: its identity as it is now, and what the test says. */
interface Row {
  readonly file: string;
  /** The path it had when the row was saved. */
  readonly path?: string;
  readonly sentBytes: number;
  readonly sizeBytes?: number;
  readonly ageMs?: number;
  readonly flow?: string;
}

/** Writes a database as the Kinesis Agent does. */
function writeCheckpoints(place: AgentBench, pattern: string, rows: readonly Row[]): string {
  mkdirSync(place.path("state"), { recursive: true });
  const path = place.path("state/checkpoints");
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE IF NOT EXISTS FILE_CHECKPOINTS (flow TEXT, path TEXT, fileId TEXT,
    lastModifiedTime BIGINT, size BIGINT, offset BIGINT, lastUpdated DATETIME, PRIMARY KEY (flow, path))`);
  const insert = database.prepare("INSERT INTO FILE_CHECKPOINTS VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const { ageMs = 0, file, flow, path: pathThen = file, sentBytes, sizeBytes } of rows) {
    const stats = statSync(place.path(file), { bigint: true });
    insert.run(
      flow ?? `kinesis:lines:${place.path(pattern)}`,
      place.path(pathThen),
      `(dev=${stats.dev.toString(16)},ino=${stats.ino})`,
      Number(stats.mtimeMs) - ageMs,
      sizeBytes ?? Number(stats.size),
      sentBytes,
      new Date(realSystem.wallNow() - ageMs).toISOString().replace("T", " ").replace("Z", ""),
    );
  }
  database.close();
  return path;
}

/** Starts the agent where the Kinesis Agent was stopped; its own default would be the end of the files. */
async function takeOver(place: AgentBench, checkpointFile: string, flow: BenchFlow = {}): Promise<void> {
  place.start({ initialPosition: "END_OF_FILE", ...flow }, { checkpointFile });
  await place.settle();
}

function age(place: AgentBench, name: string, ageMs: number): void {
  const seconds = (realSystem.wallNow() - ageMs) / 1_000;
  utimesSync(place.path(name), seconds, seconds);
}

const takenOver = (place: AgentBench) => place.events.filter((event) => event.type === "checkpoints-taken-over");

test("[C9] [C10] the switch from the Kinesis Agent loses and repeats nothing, and is made once", async () => {
  const place = createBench();
  const lines = numbered("a", 1, 100);
  place.write("app.log", text(lines));
  const path = writeCheckpoints(place, "*.log*", [{ file: "app.log", sentBytes: text(lines.slice(0, 60)).length }]);
  await takeOver(place, path);
  expect(place.lines).toEqual(lines.slice(60));
  expect(takenOver(place)).toMatchObject([{ files: 1 }]);
  await place.stop();
  place.append("app.log", "a 101\n");
  place.start({ initialPosition: "END_OF_FILE" }, { checkpointFile: path });
  await place.settle();
  expect(place.lines).toEqual([...lines.slice(60), "a 101\n"]);
  expect(takenOver(place)).toHaveLength(1);
});

test("[C9] rotated between the two agents: the rest of the old file, all of the new ones, nothing of those before", async () => {
  const place = createBench();
  place.write("app.log.3", text(numbered("sent long ago", 1, 5)));
  age(place, "app.log.3", 30 * minuteMs);
  place.write("app.log.2", text(numbered("old", 1, 20)));
  age(place, "app.log.2", 5 * minuteMs);
  const sentBytes = text(numbered("old", 1, 12)).length;
  const path = writeCheckpoints(place, "app.log*", [
    { file: "app.log.2", path: "app.log", sentBytes },
    {
      file: "app.log.3",
      path: "app.log.1",
      sentBytes: text(numbered("sent long ago", 1, 5)).length,
      ageMs: 500,
    },
  ]);
  place.write("app.log.1", text(numbered("between", 1, 3)));
  place.write("app.log", text(numbered("new", 1, 3)));
  await takeOver(place, path, { filePattern: place.path("app.log*") });
  expect(place.lines.toSorted()).toEqual(
    [...numbered("old", 13, 20), ...numbered("between", 1, 3), ...numbered("new", 1, 3)].toSorted(),
  );
});

test("files that were read before the newest checkpoint's, and have none of their own, are not read again", async () => {
  const place = createBench();
  place.write("app.log.1", "sent before\n");
  age(place, "app.log.1", 10 * minuteMs);
  place.write("app.log", "sent\nnot yet\n");
  const path = writeCheckpoints(place, "*.log*", [{ file: "app.log", sentBytes: 5 }]);
  await takeOver(place, path);
  expect(place.lines).toEqual(["not yet\n"]);
  place.append("app.log.1", "late\n");
  await place.settle();
  expect(place.lines).toEqual(["not yet\n", "late\n"]);
});

test("[C9] a file that was renamed out of the pattern between the two agents is read to its end", async () => {
  const place = createBench("app.log");
  place.write("app.log.1", text(numbered("old", 1, 10)));
  const path = writeCheckpoints(place, "app.log", [
    { file: "app.log.1", path: "app.log", sentBytes: text(numbered("old", 1, 4)).length, sizeBytes: 20 },
  ]);
  place.write("app.log", "new\n");
  await takeOver(place, path);
  expect(place.lines.toSorted()).toEqual(["new\n", ...numbered("old", 5, 10)].toSorted());
  expect(place.lostBytes).toBe(0);
});

test("[C9] copied and truncated between the two agents: the rest is read from the copy, the file from its start", async () => {
  const place = createBench();
  const old = numbered("old", 1, 40);
  place.write("app.log", text(old));
  const path = writeCheckpoints(place, "*.log*", [{ file: "app.log", sentBytes: text(old.slice(0, 30)).length }]);
  place.copy("app.log", "app.log.1");
  place.truncate("app.log");
  place.append("app.log", "new\n");
  await takeOver(place, path);
  expect(place.lines.toSorted()).toEqual(["new\n", ...old.slice(30)].toSorted());
  expect(place.lostBytes).toBe(0);
});

test("[C9] truncated between the two agents without a copy: what was not sent is counted", async () => {
  const place = createBench("app.log");
  const old = text(numbered("old", 1, 40));
  place.write("app.log", old);
  const path = writeCheckpoints(place, "app.log", [{ file: "app.log", sentBytes: old.length - 50 }]);
  place.truncate("app.log");
  place.append("app.log", "new\n");
  await takeOver(place, path);
  expect(place.lines).toEqual(["new\n"]);
  expect(place.lostBytes).toBe(50);
});

test("a file that was made after the checkpoint was saved is another one, whatever its inode", async () => {
  const place = createBench();
  place.write("app.log", "all\nof it\n");
  const path = writeCheckpoints(place, "*.log*", [
    { file: "app.log", sentBytes: 4, ageMs: 60 * minuteMs, sizeBytes: 4 },
  ]);
  await takeOver(place, path);
  expect(place.lines).toEqual(["all\n", "of it\n"]);
});

test.each<[string, Partial<Row>, boolean]>([
  ["of another flow", { flow: "kinesis:others:/x" }, true],
  // The bench's clock stands at another time than the host's, by which rows are dated.
  [
    "older than checkpointTimeToLiveDays",
    { ageMs: realSystem.wallNow() - 1_700_000_000_000 + 8 * 1_440 * minuteMs },
    true,
  ],
  ["that are not to be imported", {}, false],
])("checkpoints %s leave the first start to initialPosition", async (_, row, importCheckpoints) => {
  const place = createBench();
  place.write("app.log", "sent\nnot yet\n");
  const path = writeCheckpoints(place, "*.log*", [{ file: "app.log", sentBytes: 5, ...row }]);
  place.start({ initialPosition: "END_OF_FILE" }, { checkpointFile: path, importCheckpoints });
  await place.settle();
  expect(takenOver(place)).toEqual([]);
  expect(place.lines).toEqual([]);
});

test("checkpoints that cannot be read stop the start, with what to do; an empty database does not", async () => {
  const place = createBench();
  place.write("app.log", "a\n");
  place.write("state/checkpoints", "this is no database, and long enough to be taken for a damaged one\n".repeat(50));
  const checkpointFile = place.path("state/checkpoints");
  expect(() => place.start({}, { checkpointFile })).toThrow(/importCheckpoints/);
  await place.stop();
  rmSync(checkpointFile);
  new DatabaseSync(checkpointFile).close();
  place.start({}, { checkpointFile });
  await place.settle();
  expect(place.lines).toEqual(["a\n"]);
});
