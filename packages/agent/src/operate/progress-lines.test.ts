import { expect, test } from "vitest";
import { createCounters } from "../events.ts";
import { agentProgressLine, flowProgressLines } from "./progress-lines.ts";

const counters = {
  ...createCounters(),
  recordsRead: 150,
  bytesRead: 64_840,
  recordsSent: 122,
  recordsTransformed: 7,
  recordsFiltered: 3,
};

const linesOf = (bytesBehind: number) =>
  flowProgressLines({ type: "progress", flow: "fh:iot:/tmp/app.log*", counters, bytesBehind });

test("progress reads as the Kinesis Agent's, for those who look for it in the log", () => {
  expect(linesOf(0)).toEqual([
    {
      level: "info",
      text:
        "FileTailer[fh:iot:/tmp/app.log*]: Tailer Progress: Tailer has parsed 150 records (64840 bytes), transformed 7 " +
        "records, skipped 3 records, and has successfully sent 122 records to destination.",
    },
  ]);
  expect(
    agentProgressLine({
      type: "agent-progress",
      recordsRead: 150,
      bytesRead: 64_840,
      recordsSent: 122,
      uptimeMs: 90_040,
    }),
  ).toEqual({
    level: "info",
    text:
      "Agent: Progress: 150 records parsed (64840 bytes), and 122 records sent successfully to destinations. " +
      "Uptime: 90040ms",
  });
});

test.each([
  [1, "debug", "0.000001 MB (1 bytes) behind."],
  [20 * 1_048_576, "info", "20.000000 MB (20971520 bytes) behind."],
  [29_281_475, "info", "27.924991 MB (29281475 bytes) behind."],
  [40 * 1_048_576, "warn", "40.000000 MB (41943040 bytes) behind."],
])("%i bytes behind is said at %s", (bytesBehind, level, text) => {
  const [, behind] = linesOf(bytesBehind);
  expect(behind?.level).toBe(level);
  expect(behind?.text).toBe(`FileTailer[fh:iot:/tmp/app.log*]: Tailer is ${text}`);
});
