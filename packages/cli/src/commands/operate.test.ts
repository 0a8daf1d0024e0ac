/**
 * `millrace doctor`, `leases` and `reset` on a stream of the simulator and a lease table of dynalite.
 */
import { once } from "node:events";
import { Consumer } from "@millrace/consumer";
import { kinesisFromClient } from "@millrace/core/aws";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startEmbeddedServices, type EmbeddedServices } from "../io/embedded-services.ts";
import type { CommandProcess } from "./command-process.ts";
import { doctor } from "./doctor.ts";
import { leases } from "./leases.ts";
import { reset, resetCommand, type ResetOptions } from "./reset.ts";

let services: EmbeddedServices;
let connection: { readonly region: string; readonly endpoint: string; readonly dynamodbEndpoint: string };

beforeAll(async () => {
  services = await startEmbeddedServices();
  const { hostname, port, protocol } = (await services.dynamodb.config.endpoint?.()) ?? {};
  const dynamodbEndpoint = `${protocol}//${hostname}:${port}`;
  connection = { region: "us-east-1", endpoint: services.simulator.endpoint, dynamodbEndpoint };
  vi.stubEnv("AWS_ACCESS_KEY_ID", "any").stubEnv("AWS_SECRET_ACCESS_KEY", "any");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await services.close();
});

/** A process that keeps what is written. */
function testProcess() {
  const out: string[] = [];
  const err: string[] = [];
  const commandProcess: CommandProcess = {
    signal: new AbortController().signal,
    print: (line) => out.push(line) > 0,
    say: (line) => void err.push(line),
  };
  return { out, err, commandProcess };
}

async function put(streamName: string, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    data: Buffer.from(`r${index}`),
    partitionKey: `${index}`,
  }));
  const answer = await kinesisFromClient(services.kinesis).putRecords({ streamName, records });
  if (!answer.ok) throw answer.error;
}

/** A worker that reads `count` records, and goes on running. */
async function worker(streamName: string, applicationName: string, count: number) {
  const { kinesis: client, dynamodb } = services;
  const consumer = new Consumer({
    streamName,
    applicationName,
    client,
    dynamodb,
    workerId: "worker-1",
    pollIntervalMs: 200,
  });
  const texts: string[] = [];
  const read = new AbortController();
  const run = consumer.run(async (shard) => {
    for await (const batch of shard) {
      texts.push(...batch.records.map((record) => record.text()));
      await batch.checkpoint();
      if (texts.length >= count) read.abort();
    }
  });
  await Promise.race([once(read.signal, "abort"), run]);
  return { consumer, texts };
}

test("an application is shown while it runs, reset is refused meanwhile, and done once it has stopped", async () => {
  services.simulator.createStream({ streamName: "clicks", shardCount: 2 });
  await put("clicks", 100);
  const first = await worker("clicks", "page-counts", 100);

  const shown = testProcess();
  expect(await leases("page-counts", connection, shown.commandProcess)).toBe(0);
  const text = shown.out.join("\n");
  expect(text).toMatch(/shardId-000000000000 +worker-1 +\d{20,}:0 +0/);
  expect(text).toMatch(/worker-1 \(leader\) +2 /);
  expect(text).toContain("page-counts: 2 shards, 0 finished; worker-1 leads.");

  const well = testProcess();
  expect(await doctor("clicks", { ...connection, application: "page-counts" }, well.commandProcess)).toBe(0);
  expect(well.out.filter((line) => !line.startsWith("ok"))).toEqual([]);
  expect(well.out.join("\n")).toMatch(/shardId-000000000001: \d+ s behind the tip/);

  const options: ResetOptions = { ...connection, to: "TRIM_HORIZON", yes: true, failoverTimeMs: 300 };
  const refused = testProcess();
  expect(await reset("clicks", "page-counts", options, refused.commandProcess)).toBe(75);
  expect(refused.err.at(-1)).toContain("worker-1 reported within the last minute");

  await first.consumer.close();
  const done = testProcess();
  expect(await reset("clicks", "page-counts", options, done.commandProcess)).toBe(0);
  expect(done.out).toEqual(["page-counts begins at TRIM_HORIZON on 2 shards; 0 leases of other shards are gone"]);
  const second = await worker("clicks", "page-counts", 100);
  expect(second.texts.toSorted()).toEqual(first.texts.toSorted());
  await second.consumer.close();
});

test("reset without --yes says what it would do and writes nothing", async () => {
  const { commandProcess, err } = testProcess();
  const options = { ...connection, to: new Date("2026-11-22T10:00:00Z"), failoverTimeMs: 300 };
  expect(await reset("clicks", "untouched", options, commandProcess)).toBe(64);
  expect(err.join()).toContain("reading would begin at 2026-11-22T10:00:00.000Z. Add --yes");
  expect(await leases("untouched", connection, commandProcess)).toBe(1);
  expect(err.at(-1)).toContain("cannot read untouched");
});

test("the doctor names what fails and what to do", async () => {
  const absent = testProcess();
  expect(await doctor("absent", connection, absent.commandProcess)).toBe(1);
  expect(absent.out.at(-1)).toMatch(
    /^FAIL {2}DescribeStreamSummary: ResourceNotFoundException: .*\n +Check the stream's name/,
  );

  services.simulator.createStream({ streamName: "views", shardCount: 1 });
  const json = testProcess();
  expect(await doctor("views", { ...connection, application: "absent-app", json: true }, json.commandProcess)).toBe(1);
  const findings = json.out.map((line) => JSON.parse(line) as { verdict: string; what: string });
  expect(findings.map(({ verdict }) => verdict)).toEqual(["ok", "ok", "ok", "ok", "ok", "fail"]);
  expect(findings.at(-1)?.what).toContain("cannot read absent-app");
});

test.each([["--to=tomorrow"], ["--to=2999-01-01"], []])("reset %j is a misuse", (...args: string[]) => {
  const command = resetCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined);
  expect(() => command.parse(["clicks", "app", ...args], { from: "user" })).toThrow(/--to/);
});
