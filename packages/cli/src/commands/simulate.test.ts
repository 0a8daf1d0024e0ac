import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListShardsCommand, KinesisClient, PutRecordCommand } from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";
import { simulate, simulateCommand } from "./simulate.ts";
import type { SimulateOptions } from "./simulate.ts";

/** What the command line `args` ask for, read by the command itself. */
function read(...args: string[]): SimulateOptions {
  const command = simulateCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined);
  return command.parse(args, { from: "user" }).opts<SimulateOptions>();
}

test("streams, faults and endpoint are as the command line says, until it is stopped", async () => {
  const lines: string[] = [];
  const controller = new AbortController();
  const ready = new Promise<string>((resolve) => {
    const print = (line: string) => {
      lines.push(line);
      if (line.startsWith("endpoint")) resolve(line.split(/ +/)[1] ?? "");
    };
    const options = read(
      "--port=0",
      "--stream=clicks:2",
      "-s",
      "views",
      "--shards=3",
      "-f",
      "reset,action=PutRecord",
      "--bill",
    );
    void simulate(options, { signal: controller.signal, print, env: {} }).then(() => lines.push("ended"));
  });
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  const client = new KinesisClient({ endpoint: await ready, region: "us-east-1", credentials, maxAttempts: 1 });
  const shards = async (streamName: string) =>
    (await client.send(new ListShardsCommand({ StreamName: streamName }))).Shards?.length;
  expect(await shards("clicks")).toBe(2);
  expect(await shards("views")).toBe(3);
  const put = new PutRecordCommand({ StreamName: "clicks", PartitionKey: "k", Data: Buffer.from("x") });
  await expect(client.send(put)).rejects.toBeInstanceOf(Error);
  client.destroy();
  controller.abort();
  await expect.poll(() => lines.at(-1)).toBe("ended");
  expect(lines[0]).toBe("stream    arn:aws:kinesis:us-east-1:123456789012:stream/clicks (2 shards)");
  expect(JSON.parse(lines.at(-2) ?? "")).toHaveProperty("totalUsd");
});

test("a number of shards alone asks for one stream", async () => {
  const lines: string[] = [];
  const controller = new AbortController();
  await simulate(read("--port=0", "--shards=4"), {
    signal: controller.signal,
    print: (line) => {
      lines.push(line);
      if (line.startsWith("endpoint")) controller.abort();
    },
    env: {},
  });
  expect(lines[0]).toBe("stream    arn:aws:kinesis:us-east-1:123456789012:stream/stream (4 shards)");
});

test.each([
  ["--port=many", "Expected an integer of at least 0."],
  ["--shards=0", "Expected an integer of at least 1."],
  ["--fault=throtle=0.5", "Did you mean throttle?"],
])("%s is refused with what was expected", (arg, text) => {
  expect(() => read(arg)).toThrow(text);
});

test.each([
  [["--stream=clicks:none"], "--stream: expected NAME or NAME:SHARDS"],
  [["--check-signatures"], "--check-signatures: expected AWS_ACCESS_KEY_ID"],
])("%s is refused before anything is printed", async (args, text) => {
  const lines: string[] = [];
  const run = simulate(read("--port=0", ...args), {
    signal: AbortSignal.abort(),
    print: (line) => lines.push(line),
    env: {},
  });
  await expect(run).rejects.toThrow(text);
  expect(lines).toEqual([]);
});

test("--persist keeps streams, and the same command line starts again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"));
  const run = async () => {
    const lines: string[] = [];
    const controller = new AbortController();
    const print = (line: string) => {
      lines.push(line);
      if (line.startsWith("endpoint")) controller.abort();
    };
    const options = read("--port=0", "--stream=clicks:2", `--persist=${join(folder, "state.db")}`);
    await simulate(options, { signal: controller.signal, print, env: {} });
    return lines[0];
  };
  expect(await run()).toBe("stream    arn:aws:kinesis:us-east-1:123456789012:stream/clicks (2 shards)");
  expect(await run()).toBe("stream    clicks (kept)");
  rmSync(folder, { recursive: true });
});
