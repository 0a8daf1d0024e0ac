import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Aggregator } from "./aggregate.ts";
import { InvalidRecordError } from "./errors.ts";
import { kinesisRecordBytes } from "./record-bytes.ts";
import { userRecords } from "./testing-support/arbitraries.ts";

const withTags = (count: number) => ({
  partitionKey: "k",
  data: "d",
  tags: Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, ""])),
});

it("knows what a record takes as a Kinesis record of its own", () => {
  fc.assert(
    fc.property(userRecords, (record) => {
      const aggregator = new Aggregator();
      aggregator.add(record);
      const { data, partitionKey } = aggregator.build();
      expect(kinesisRecordBytes(record)).toBe(data.byteLength + Buffer.byteLength(partitionKey));
    }),
  );
});

it("refuses more tags than a reader takes", () => {
  expect(kinesisRecordBytes(withTags(1_000))).toBeGreaterThan(4_000);
  expect(() => kinesisRecordBytes(withTags(1_001))).toThrow(InvalidRecordError);
  expect(() => new Aggregator().add(withTags(1_001))).toThrow("tags: expected at most 1000 tags, got 1001");
});
