import { array, assert, boolean, integer, property, record, tuple } from "fast-check";
import { expect, test } from "vitest";
import { Batch, bytesOf, halvesOf } from "./batch.ts";

const lines = array(
  tuple(integer({ min: 0, max: 30 }), boolean()).map(([length, ends]) => ({
    data: Buffer.from("x".repeat(length) + (ends ? "\n" : "")),
  })),
  { maxLength: 60 },
);
const someRules = record({
  maxRecords: integer({ min: 1, max: 8 }),
  maxBytes: integer({ min: 40, max: 200 }),
  joinedMaxBytes: integer({ min: 0, max: 80 }),
});

test("[C6] every member is in one request, in order, and no request or joined record exceeds its limits", () => {
  assert(
    property(lines, someRules, (members, rules) => {
      const batches: Batch<{ data: Buffer }>[] = [];
      for (const member of members) {
        if (batches.at(-1)?.add(member) === true) continue;
        const batch = new Batch<{ data: Buffer }>(rules);
        expect(batch.add(member)).toBe(true);
        batches.push(batch);
      }
      expect(batches.flatMap(({ records }) => records.flatMap(({ members: inside }) => inside))).toEqual(members);
      for (const batch of batches) {
        expect(batch.records.length).toBeLessThanOrEqual(rules.maxRecords);
        expect(batch.bytes).toBeLessThanOrEqual(rules.maxBytes);
        expect(batch.bytes).toBe(batch.records.reduce((sum, each) => sum + bytesOf(each).byteLength, 0));
        for (const joined of batch.records) {
          if (joined.members.length === 1) continue;
          expect(joined.bytes).toBeLessThanOrEqual(rules.joinedMaxBytes);
          for (const { data } of joined.members.slice(0, -1)) expect(data.at(-1)).toBe(10);
        }
      }
    }),
  );
});

test("halving ends at single members, each of them once and in order", () => {
  assert(
    property(lines, someRules, (members, rules) => {
      const batch = new Batch<{ data: Buffer }>(rules);
      const taken = members.filter((member) => batch.add(member));
      const alone: Buffer[] = [];
      const halve = (records: Batch<{ data: Buffer }>["records"]) => {
        const halves = halvesOf(records);
        if (halves.length === 0) alone.push(...records.flatMap((each) => each.members.map(({ data }) => data)));
        for (const half of halves) halve(half);
      };
      halve(batch.records);
      expect(alone).toEqual(taken.map(({ data }) => data));
    }),
  );
});
