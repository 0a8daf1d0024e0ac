import { expect, it } from "vitest";

import { isFlawless, summaryJson, summaryTable, type Totals } from "./summary.ts";

const verdict = { linesShipped: 2000, linesDelivered: 2000, lost: 0, unexpected: 0, duplicates: 3, outOfOrder: 0 };
const totals: Totals = {
  verdict,
  deliveredBytes: 4_000_000,
  kinesisRecords: 8,
  putRecordsRequests: 2,
  elapsedMs: 2000,
  handOverMs: 123.4,
  putCostUsd: 0.000_001,
  putRecordCostUsd: 0.000_028,
};

it("calls it flawless only if nothing was lost, changed or out of order; a repetition is none of these", () => {
  expect(isFlawless(verdict)).toBe(true);
  for (const flaw of ["lost", "unexpected", "outOfOrder"]) expect(isFlawless({ ...verdict, [flaw]: 1 })).toBe(false);
});

it("gives one line of JSON", () => {
  expect(JSON.parse(summaryJson(totals))).toEqual({
    linesShipped: 2000,
    linesDelivered: 2000,
    lost: 0,
    duplicates: 3,
    outOfOrder: 0,
    unexpected: 0,
    kinesisRecords: 8,
    putRecordsRequests: 2,
    bytes: 4_000_000,
    seconds: 2,
    megabytesPerSecond: 2,
    handOverMs: 123,
    putCostUsd: 0.000_001,
    putRecordCostUsd: 0.000_028,
  });
});

it("gives a table of the same", () => {
  const table = summaryTable(totals).join("\n");
  expect(table).toContain("250 lines in each");
  expect(table).toContain("2.00 MB/s");
  expect(table).toContain("$0.01400 per million lines");
  expect(table).toContain("$0.00050 per million lines");
});
