/**
 * The command as its user types it: a process of its own, on real files.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "millrace-quickstart-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The last line of the output. */
  readonly summary: unknown;
}

function millrace(...args: string[]): Promise<Ended> {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], (_, out, err) => {
      const last = out.trimEnd().split("\n").at(-1) ?? "";
      resolve({ code: child.exitCode ?? -1, out, err, summary: last.startsWith("{") ? JSON.parse(last) : undefined });
    });
  });
}

it("[C1] [C2] ships every line of a file, the last one without newline too, and leaves the file alone", async () => {
  const content = Array.from({ length: 3000 }, (_, index) => `line ${index % 700} \u00E9\u{1F600}`).join("\n");
  const path = write("app.log", content);
  const { code, err, summary } = await millrace("quickstart", path);
  expect(summary).toMatchObject({ linesShipped: 3000, linesDelivered: 3000, lost: 0, unexpected: 0, outOfOrder: 0 });
  expect(code).toBe(0);
  expect(err).toContain("its last line has no newline");
  expect(err).toContain("the log was rotated");
  expect(err).toContain("worker-1 stops");
  expect(readFileSync(path, "utf8")).toBe(content);
});

it("ships what looks binary, and says so", async () => {
  const { code, err, summary } = await millrace(
    "quickstart",
    write(
      "app.bin",
      Uint8Array.from({ length: 5000 }, (_, index) => index * 7),
    ),
  );
  expect(err).toContain("it looks binary");
  expect(summary).toMatchObject({ lost: 0, unexpected: 0, bytes: 5000 });
  expect(code).toBe(0);
});

it("has nothing to do for an empty file", async () => {
  const { code, err, summary } = await millrace("quickstart", write("empty.log", ""));
  expect(err).toContain("is empty");
  expect(summary).toMatchObject({ linesShipped: 0, lost: 0 });
  expect(code).toBe(0);
});

it("refuses a line that no Kinesis record holds, and names it", async () => {
  const { code, err } = await millrace("quickstart", write("long.log", `short\n${"x".repeat(1024 * 1024)}\n`));
  expect(err).toContain("line 2 of");
  expect(err).toContain("1048577 bytes");
  expect(code).toBe(65);
});

it.each([
  ["a missing file", "missing.log", "does not exist"],
  ["a folder", ".", "not a regular file"],
])("refuses %s", async (_, name, complaint) => {
  const { code, err } = await millrace("quickstart", join(folder, name));
  expect(err).toContain(complaint);
  expect(code).toBe(66);
});

it.each([[["quickstart", "a", "b"]], [["quickstart", "--fast"]], [["quickstrat"]]])(
  "calls %j a misuse",
  async (args) => {
    const { code, out } = await millrace(...args);
    expect({ code, out }).toEqual({ code: 64, out: "" });
  },
);
