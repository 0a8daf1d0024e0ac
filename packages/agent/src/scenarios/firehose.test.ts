import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Agent } from "../agent.ts";
import type { AgentConfigInput, FlowConfigInput } from "../config/schema.ts";
import type { AgentEvent } from "../events.ts";
import { closeBenches, createBench, numbered } from "../testing-support/agent-bench.ts";
import { FirehoseStandIn } from "../testing-support/firehose-stand-in.ts";

let firehose: FirehoseStandIn;
let events: AgentEvent[] = [];

beforeEach(async () => {
  firehose = await FirehoseStandIn.listen("lake");
  events = [];
});

afterEach(async () => {
  await closeBenches();
  await firehose[Symbol.asyncDispose]();
});

/** An agent with one flow into the delivery stream `lake`, in real time. */
function agentOver(
  place: ReturnType<typeof createBench>,
  flow: Partial<FlowConfigInput> = {},
  keys: Partial<AgentConfigInput> = {},
): Agent {
  return new Agent({
    config: {
      "firehose.endpoint": firehose.endpoint,
      "firehose.region": "eu-west-1",
      awsAccessKeyId: "AKIDTEST",
      awsSecretAccessKey: "s",
      flows: [
        {
          filePattern: place.path("*.log"),
          deliveryStream: "lake",
          initialPosition: "START_OF_FILE",
          retryInitialBackoffMillis: 1,
          retryMaxBackoffMillis: 10,
          ...flow,
        },
      ],
      ...keys,
    },
    positionsPath: place.positionsPath,
    onEvent: (event) => events.push(event),
  });
}

async function runOnce(...parts: Parameters<typeof agentOver>): Promise<Agent> {
  const agent = agentOver(...parts);
  agent.start();
  await agent.drain();
  return agent;
}

test("[C10] a delivery stream gets every line once, in file order, in full requests; a restart repeats none", async () => {
  const place = createBench();
  const lines = numbered("a", 1, 1_200);
  place.write("app.log", lines.join(""));
  const agent = await runOnce(place);
  expect(firehose.text).toBe(lines.join(""));
  expect(firehose.requests.map(({ records }) => records)).toEqual([500, 500, 200]);
  expect(firehose.authorizations[0]).toMatch(/AKIDTEST.*eu-west-1\/firehose/);
  expect(agent.status()[0]).toMatchObject({ flow: expect.stringMatching(/^fh:lake:/), unsettledRecords: 0 });
  await runOnce(place);
  expect(firehose.records).toHaveLength(1_200);
});

/** The lines in each record, with their newlines: a line never spans two records. */
const linesStored = () => firehose.records.flatMap((record) => record.toString().match(/[^\n]*\n|[^\n]+$/g) ?? []);

test("lines are joined into records of the size asked for, and a line without a newline is not joined with others", async () => {
  const place = createBench();
  const lines = numbered("joined", 1, 5_000);
  place.write("app.log", `${lines.join("")}last without a newline`);
  place.write("b.log", "another file\n");
  await runOnce(place, { aggregatedRecordSizeBytes: 10_000 });
  expect(linesStored().toSorted()).toEqual([...lines, "last without a newline", "another file\n"].toSorted());
  expect(firehose.records.length).toBeLessThan(12);
  for (const record of firehose.records) expect(record.length).toBeLessThanOrEqual(10_000);
});

test("[C9] [C10] scenario 67: only the records that FailedPutCount speaks of are put again, and the position waits", async () => {
  const place = createBench();
  const lines = numbered("a", 1, 700);
  place.write("app.log", lines.join(""));
  firehose.fateOf = (records, request) =>
    request <= 3 ? { refused: records.map((_, index) => index).filter((index) => index % 7 === 3) } : "store";
  const agent = await runOnce(place);
  expect(linesStored().toSorted()).toEqual(lines.toSorted());
  const counters = agent.status()[0]?.counters;
  expect(counters?.recordsSent).toBe(700);
  expect(counters?.recordsRetried).toBeGreaterThan(90);
  expect(events.some((event) => event.type === "flow-paused")).toBe(true);
});

test("scenario 70: throttles, faults of the service and a lost answer delay; nothing is dropped", async () => {
  const place = createBench();
  const lines = numbered("a", 1, 20);
  place.write("app.log", lines.join(""));
  firehose.fateOf = (_, request) => {
    if (request === 1) return { status: 400, code: "ThrottlingException" };
    if (request === 2) return { status: 503, code: "ServiceUnavailableException" };
    if (request === 3) return { status: 400, code: "ExpiredTokenException" };
    return request === 4 ? "lose-answer" : "store";
  };
  await runOnce(place);
  // The fourth request was stored before its answer was lost: its records are there twice.
  expect(linesStored()).toEqual([...lines, ...lines]);
});

test("scenario 70: a delivery stream that does not exist holds the flow, and its name is said", async () => {
  const place = createBench();
  place.write("app.log", "kept\n");
  const agent = agentOver(place, { deliveryStream: "missing", maxBufferAgeMillis: 1 }, { shutdownTimeoutMillis: 1 });
  agent.start();
  while (!events.some((event) => event.type === "flow-paused")) await place.system.breathe();
  expect(agent.status()[0]).toMatchObject({ unsettledRecords: 1, trouble: expect.stringContaining("NotFound") });
  await agent.close();
  expect(agent.status()[0]?.files[0]?.savedBytes).toBe(0);
});

test("scenario 57: a record too large for Firehose goes to the dead letters, and its neighbours arrive", async () => {
  const place = createBench();
  const long = `${"x".repeat(900_000)}\n`;
  place.write("app.log", `before\n${long}after\n`);
  // Quoting doubles the backslashes that ADDMETADATA is given.
  place.append("app.log", `${String.raw`\\`.repeat(300_000)}\nend\n`);
  const agent = await runOnce(place, { dataProcessingOptions: { optionName: "ADDMETADATA", metadata: {} } });
  const stored = firehose.records.map((record) => (JSON.parse(record.toString()) as { data: string }).data);
  expect(stored).toEqual(["before", long.trim(), "after", "end"]);
  expect(agent.status()[0]?.counters.recordsUndeliverable).toBe(1);
  const directory = place.path("state/dead-letters");
  const [name = ""] = readdirSync(directory);
  const letter = JSON.parse(readFileSync(join(directory, name), "utf8")) as { data: string; error: string };
  expect(letter.error).toContain("1024000");
  expect(Buffer.from(letter.data, "base64").length).toBeGreaterThan(1_024_000);
});

test("a request that is refused for what is in it is halved until the record to blame stands alone", async () => {
  const place = createBench();
  const lines = numbered("a", 1, 40);
  place.write("app.log", lines.join(""));
  firehose.fateOf = (records) =>
    records.some((record) => record.toString() === "a 23\n")
      ? { status: 400, code: "InvalidArgumentException" }
      : "store";
  const agent = await runOnce(place);
  expect(linesStored()).toEqual(lines.filter((line) => line !== "a 23\n"));
  expect(agent.status()[0]?.counters.recordsUndeliverable).toBe(1);
});

test("a stream that refuses everything as invalid is not taken for records that are: nothing goes to the dead letters", async () => {
  const place = createBench();
  const lines = numbered("a", 1, 9);
  place.write("app.log", lines.join(""));
  firehose.fateOf = (_, request) => (request <= 40 ? { status: 400, code: "InvalidArgumentException" } : "store");
  const agent = await runOnce(place);
  expect(linesStored().toSorted()).toEqual(lines.toSorted());
  expect(agent.status()[0]?.counters.recordsUndeliverable).toBe(0);
});

test("scenario 71: a small budget does not wait for the age of a buffer that it cannot fill", async () => {
  const place = createBench();
  const lines = numbered("x".repeat(50_000), 1, 300);
  place.write("app.log", lines.join(""));
  const agent = agentOver(place, { maxBufferAgeMillis: 900_000 }, { maxBufferedBytes: 8_388_608 });
  agent.start();
  // Not a drain, which would ask for everything to be sent.
  while ((agent.status()[0]?.counters.bytesRead ?? 0) < 15_000_000) await place.system.breathe();
  await agent.drain();
  expect(linesStored()).toEqual(lines);
});
