/**
 * `millrace put` and `millrace tail` as their user types them: processes of their own, against a simulator.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { KinesisSimulator } from "@millrace/simulator";
import { afterAll, beforeAll, expect, test } from "vitest";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
let simulator: KinesisSimulator;

beforeAll(async () => {
  simulator = await KinesisSimulator.listen();
});
afterAll(() => simulator.close());

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args, "--endpoint", simulator.endpoint, "--region", "us-east-1"], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: "any", AWS_SECRET_ACCESS_KEY: "any" },
  });
  const texts = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (texts.err += chunk.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number, ...texts }));
  return { child, texts, ended };
}

async function run(args: readonly string[], input: string | Uint8Array = "") {
  const { child, ended } = start(args);
  child.stdin.end(input);
  return await ended;
}

const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split("\n").at(-1) ?? "");

test("every line of standard input is stored and read back byte for byte, the last without newline too", async () => {
  simulator.createStream({ streamName: "lines", shardCount: 2 });
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index} é`);
  const stored = await run(["put", "lines"], lines.join("\n"));
  expect(stored).toMatchObject({ code: 0, err: "" });
  expect(lastLine(stored.out)).toEqual({ stored: 500, failed: 0 });
  const tailed = await run(["tail", "lines", "--from", "trim-horizon", "-n", "500"]);
  expect(tailed).toMatchObject({ code: 0, err: "" });
  expect(tailed.out.trimEnd().split("\n").toSorted()).toEqual(lines.toSorted());
});

test("keys come from a field of each line; a line without it is named, and the others are stored", async () => {
  simulator.createStream({ streamName: "keyed", shardCount: 1 });
  const stored = await run(
    ["put", "keyed", "--key-field", "user"],
    '{"user":"ann"}\nno json\n{"user":7}\n{"user":null}\n',
  );
  expect(stored.code).toBe(1);
  expect(lastLine(stored.out)).toEqual({ stored: 2, failed: 2 });
  expect(stored.err).toMatch(/line 2: expected a JSON object with a field "user"/);
  expect(stored.err).toMatch(/line 4: /);
  const tailed = await run(["tail", "keyed", "--from", "trim-horizon", "--json", "-n", "2"]);
  const records = tailed.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records).toMatchObject([
    { shardId: "shardId-000000000000", partitionKey: "ann", data: '{"user":"ann"}', subSequenceNumber: 0 },
    { partitionKey: "7", data: '{"user":7}', subSequenceNumber: 1 },
  ]);
});

test("bytes that are no text are told as base64", async () => {
  simulator.createStream({ streamName: "bytes", shardCount: 1 });
  await run(["put", "bytes", "--key", "k", "--no-aggregation"], Uint8Array.of(0xff, 0x00, 0xfe));
  const tailed = await run(["tail", "bytes", "--from", "trim-horizon", "--json", "-n", "1"]);
  expect(lastLine(tailed.out)).toMatchObject({ partitionKey: "k", dataBase64: "/wD+" });
});

test("a stream that does not exist ends both at once, with the service's words", async () => {
  const stored = await run(["put", "absent"], "a\nb\n");
  expect(stored.code).toBe(1);
  expect(stored.err).toContain("ResourceNotFoundException");
  const tailed = await run(["tail", "absent"]);
  expect(tailed.code).toBe(1);
  expect(tailed.err).toContain("absent");
});

test("an interrupted put stores what it has read and says how much", async () => {
  simulator.createStream({ streamName: "interrupted", shardCount: 1 });
  const before = simulator.meter.counts().recordsIn;
  const { child, texts, ended } = start(["put", "interrupted"]);
  child.stdin.write("one\ntwo\n");
  await expect.poll(() => simulator.meter.counts().recordsIn, { timeout: 10_000 }).toBe(before + 1);
  child.kill("SIGINT");
  expect((await ended).code).toBe(130);
  expect(lastLine(texts.out)).toEqual({ stored: 2, failed: 0 });
});

test("tail follows the tip until it is interrupted", async () => {
  simulator.createStream({ streamName: "tip", shardCount: 1 });
  const { child, texts, ended } = start(["tail", "tip", "--from", "trim-horizon"]);
  await run(["put", "tip"], "first\n");
  await expect.poll(() => texts.out, { timeout: 10_000 }).toBe("first\n");
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({ code: 0, err: "" });
});

test("tail ends when nobody reads its output any more, as after `| head`", async () => {
  simulator.createStream({ streamName: "piped", shardCount: 1 });
  const { child, texts, ended } = start(["tail", "piped", "--from", "trim-horizon"]);
  await run(["put", "piped"], "first\n");
  await expect.poll(() => texts.out, { timeout: 10_000 }).toBe("first\n");
  child.stdout.destroy();
  await run(["put", "piped"], "second\n");
  expect(await ended).toMatchObject({ code: 0, err: "" });
});

test.each([
  [["put"], "missing required argument 'stream'"],
  [["put", "s", "--key", "a", "--key-field", "b"], "cannot be used with"],
  [["tail", "s", "--from", "yesterday"], "latest, trim-horizon, or a time"],
  [["tail", "s", "-n", "0"], "integer of at least 1"],
  [["put", "has space"], "streamName"],
])("%j is a misuse", async (args, complaint) => {
  const { code, err } = await run(args, "x\n");
  expect(err).toContain(complaint);
  expect(code).toBe(64);
});

test("a file that does not exist is named", async () => {
  const { code, err } = await run(["put", "lines", "/nowhere/app.log"]);
  expect(err).toContain("/nowhere/app.log");
  expect(code).toBe(66);
});
