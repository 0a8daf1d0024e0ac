/**
 * Pure. What the quickstart says at its end: a short table for people and one line of JSON for programs.
 */
import type { Verdict } from "./line-ledger.ts";

/** What was counted along the way. */
export interface Totals {
  readonly verdict: Verdict;
  /** Bytes of the delivered lines, each counted once. */
  readonly deliveredBytes: number;
  readonly kinesisRecords: number;
  readonly putRecordsRequests: number;
  readonly elapsedMs: number;
  /** From the stop of the first worker to the first record that another worker got from one of its shards. */
  readonly handOverMs: number | undefined;
  /** PUT payload units at list price, in US dollars. */
  readonly putCostUsd: number;
  /** The same lines as one PutRecord each. */
  readonly putRecordCostUsd: number;
}

/** True when every line arrived with its own bytes, and every shard kept its order. */
export function isFlawless(verdict: Verdict): boolean {
  return verdict.lost === 0 && verdict.unexpected === 0 && verdict.outOfOrder === 0;
}

/** The one line of JSON. */
export function summaryJson(totals: Totals): string {
  const { verdict } = totals;
  return JSON.stringify({
    linesShipped: verdict.linesShipped,
    linesDelivered: verdict.linesDelivered,
    lost: verdict.lost,
    duplicates: verdict.duplicates,
    outOfOrder: verdict.outOfOrder,
    unexpected: verdict.unexpected,
    kinesisRecords: totals.kinesisRecords,
    putRecordsRequests: totals.putRecordsRequests,
    bytes: totals.deliveredBytes,
    seconds: round(totals.elapsedMs / 1000, 2),
    megabytesPerSecond: round(megabytesPerSecond(totals), 2),
    handOverMs: totals.handOverMs === undefined ? null : Math.round(totals.handOverMs),
    putCostUsd: Number(totals.putCostUsd.toPrecision(4)),
    putRecordCostUsd: Number(totals.putRecordCostUsd.toPrecision(4)),
  });
}

/** The table, as lines. */
export function summaryTable(totals: Totals): string[] {
  const { verdict } = totals;
  const rows: (readonly [string, string])[] = [
    ["lines shipped", count(verdict.linesShipped)],
    [
      "lines delivered",
      `${count(verdict.linesDelivered)}  (lost ${count(verdict.lost)}, again ${count(verdict.duplicates)}, ` +
        `out of order ${count(verdict.outOfOrder)})`,
    ],
    ["Kinesis records", `${count(totals.kinesisRecords)}  (${perRecord(totals)} lines in each)`],
    ["PutRecords requests", count(totals.putRecordsRequests)],
    ["bytes", `${count(totals.deliveredBytes)}  (${megabytesPerSecond(totals).toFixed(2)} MB/s)`],
    ["time", `${(totals.elapsedMs / 1000).toFixed(1)} s`],
  ];
  if (totals.handOverMs !== undefined) rows.push(["hand-over", `${Math.round(totals.handOverMs)} ms`]);
  if (verdict.linesShipped > 0) {
    rows.push(
      ["PUT cost, PutRecord", `${dollarsPerMillion(totals.putRecordCostUsd, verdict)} per million lines`],
      ["PUT cost, here", `${dollarsPerMillion(totals.putCostUsd, verdict)} per million lines`],
    );
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

function perRecord(totals: Totals): string {
  if (totals.kinesisRecords === 0) return "0";
  return round(totals.verdict.linesDelivered / totals.kinesisRecords, 1).toLocaleString("en-US");
}

function megabytesPerSecond(totals: Totals): number {
  return totals.elapsedMs === 0 ? 0 : totals.deliveredBytes / 1000 / totals.elapsedMs;
}

function dollarsPerMillion(usd: number, verdict: Verdict): string {
  return `$${((usd / verdict.linesShipped) * 1e6).toFixed(5)}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
