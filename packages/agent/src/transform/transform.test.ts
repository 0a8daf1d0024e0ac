import { afterEach, expect, test } from "vitest";
import { processingSchema, transformOf } from "../config/processing.ts";
import { closeBenches, createBench } from "../testing-support/agent-bench.ts";

afterEach(closeBenches);

const source = { path: "/a", host: "h", wallNowMs: Date.UTC(2026, 10, 22) };

function transformed(option: unknown, text: string): string {
  const transform = transformOf(processingSchema.parse(option));
  return Buffer.from(transform?.(Buffer.from(text), source) ?? []).toString();
}

const json = (option: unknown, text: string): unknown => JSON.parse(transformed(option, text));

test("SINGLELINE joins lines, trimmed or not, with or without a mark", () => {
  expect(transformed({ optionName: "SINGLELINE" }, " a\n  b \n")).toBe("ab\n");
  expect(transformed([{ optionName: "SINGLELINE", parseOptions: ["NO_TRIM"] }], " a\n  b \n")).toBe(" a  b \n");
  expect(transformed([{ optionName: "SINGLELINE", parseOptions: ["ESCAPE_NEW_LINE"] }], "a\nb\n")).toBe("a\\\\nb\n");
});

test("CSVTOJSON knows quotes, missing columns and delimiters that are signs of expressions", () => {
  const names = ["a", "b", "c"];
  expect(json({ optionName: "CSVTOJSON", customFieldNames: names }, '1,"x, ""y""",3,4\n')).toEqual({
    a: "1",
    b: 'x, "y"',
    c: "3",
  });
  expect(json({ optionName: "CSVTOJSON", customFieldNames: names, delimiter: "|" }, "1|2\n")).toEqual({
    a: "1",
    b: "2",
    c: null,
  });
});

test.each([
  [
    "COMMONAPACHELOG",
    '10.0.0.1 - frank [22/Nov/2026:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326',
    { host: "10.0.0.1", ident: null, authuser: "frank", response: "200", bytes: "2326" },
  ],
  [
    "COMBINEDAPACHELOG",
    '10.0.0.1 - - [22/Nov/2026:13:55:36 -0700] "GET /a HTTP/1.1" 200 - "http://x/" "agent 1"',
    { bytes: null, referer: "http://x/", agent: "agent 1" },
  ],
  [
    "APACHEERRORLOG",
    "[Sun Nov 22 10:00:00.1 2026] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187] File does not exist",
    { module: "core", severity: "error", processid: "35708", client: "72.15.99.187" },
  ],
  [
    "SYSLOG",
    "Nov  2 10:00:00 web1 sshd[123]: Accepted",
    { hostname: "web1", program: "sshd", processid: "123", message: "Accepted" },
  ],
  ["SYSLOG", "Nov 22 10:00:00 <1.2> web1 cron: done", { hostname: "web1", program: "cron", processid: null }],
  ["RFC3339SYSLOG", "2026-11-22T10:00:00.5Z web1 app: x", { timestamp: "2026-11-22T10:00:00.5Z", message: "x" }],
])("LOGTOJSON reads %s", (logFormat, line, fields) => {
  expect(json({ optionName: "LOGTOJSON", logFormat }, `${line}\n`)).toMatchObject(fields);
});

test("LOGTOJSON takes a pattern of one's own", () => {
  const option = {
    optionName: "LOGTOJSON",
    logFormat: "SYSLOG",
    matchPattern: "(\\w+)=(\\w+)",
    customFieldNames: ["k", "v"],
  };
  expect(json(option, "a=b\n")).toEqual({ k: "a", v: "b" });
});

test("ADDMETADATA and ADDBRACKETS, in the order of the list", () => {
  const metadata = { app: "shop" };
  expect(json({ optionName: "ADDMETADATA", metadata, timestamp: "true" }, "line\n")).toEqual({
    ts: "2026-11-22T00:00:00.000Z",
    metadata,
    data: "line",
  });
  expect(transformed([{ optionName: "SINGLELINE" }, { optionName: "ADDBRACKETS" }], '"a":\n1\n')).toBe('{"a":1}\n');
});

test("scenario 65: records that a transform makes longer, shorter or empty move the position by what was read", async () => {
  const place = createBench("*.log", { dataProcessingOptions: [{ optionName: "SINGLELINE" }] });
  const longer = createBench("*.log", { dataProcessingOptions: [{ optionName: "ADDMETADATA", metadata: { a: 1 } }] });
  for (const each of [place, longer]) {
    each.write("app.log", "   a   \n\nb\n");
    each.start();
    await each.catchUp();
    expect(each.agent.status()[0]?.files[0]?.savedBytes).toBe(11);
    await each.restart();
    await each.catchUp();
  }
  expect(place.lines).toEqual(["a\n", "\n", "b\n"]);
  expect(longer.lines.map((line) => (JSON.parse(line) as { data: string }).data)).toEqual(["a", "", "b"]);
});

test.each([
  ["raw", ['no csv "x\n', "{}"], 0],
  ["drop", ["{}"], 0],
  ["deadLetter", ["{}"], 1],
] as const)(
  "scenario 65: a record that a transform cannot take is %s, and the position moves on",
  async (onParseError, kept, dead) => {
    const place = createBench("*.log", {
      onParseError,
      dataProcessingOptions: [{ optionName: "LOGTOJSON", logFormat: "SYSLOG" }],
    });
    place.write("app.log", 'no csv "x\nNov 22 10:00:00 web1 cron: done\n');
    place.start();
    await place.catchUp();
    expect(place.lines.map((line) => (line.startsWith("{") ? "{}" : line))).toEqual(kept);
    expect(place.agent.status()[0]?.counters).toMatchObject({ recordsUnparsed: 1, recordsUndeliverable: dead });
    expect(place.agent.status()[0]?.files[0]?.savedBytes).toBe(42);
  },
);
