import { ConfigError } from "@millrace/core/options";
import { expect, test } from "vitest";
import { Producer } from "./producer.ts";

test.each([
  [{}, /streamName/],
  [{ streamName: "s", streamArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/s" }, /only one/],
  [{ streamName: "s", client: {} }, /client: expected a KinesisClient/],
  [{ streamName: "s", aggregationMaxByte: 5 }, /Did you mean aggregationMaxBytes/],
  [{ streamName: "s", aggregation: "yes" }, /aggregation: expected true or false/],
  [{ streamName: "s", aggregationMaxBytes: 10 }, /aggregationMaxBytes: expected an integer from 64/],
  [{ streamName: "s", collectionMaxRecords: 501 }, /collectionMaxRecords: expected an integer from 1 to 500, got 501/],
  [{ streamName: "s", collectionMaxBytes: 11_000_000 }, /collectionMaxBytes/],
  [{ streamName: "s", recordMaxBufferedMs: 40_000 }, /recordMaxBufferedMs: expected an integer from 0 to 30000/],
  [{ streamName: "" }, /streamName/],
  [{ streamName: " \t" }, /streamName/],
  [{ streamName: 7 }, /streamName/],
  [{ streamArn: "arn:aws:s3:::bucket" }, /streamArn/],
  [{ streamName: "s", recordTtlMs: 1.5 }, /recordTtlMs/],
  // Where the KPL's clock arithmetic overflows, and every record expires at once.
  [
    { streamName: "s", recordTtlMs: Number.MAX_SAFE_INTEGER },
    /recordTtlMs: expected an integer from 100 to 2147483647/,
  ],
  [{ streamName: "s", maxRecordBytes: 10_485_761 }, /maxRecordBytes: expected an integer from 64 to 10485760/],
  [{ streamName: "s", rateLimitPercent: 0 }, /rateLimitPercent/],
  [{ streamName: "s", aggregationKey: "key" }, /aggregationKey: expected "a" or "first" or "perKey"/],
  [{ streamName: "s", ordering: true }, /ordering: expected "none" or "perKey"/],
  [{ streamName: "s", onOrderBreak: "hold" }, /onOrderBreak: expected "fail" or "continue"/],
  [{ streamName: "s", wireFormat: "xml" }, /wireFormat: expected "json" or "cbor"/],
  [{ streamName: "s", metrics: {} }, /metrics: expected an object with a record function/],
  [{ streamName: "s", maxConnections: 0 }, /maxConnections/],
  [{ streamName: "s", maxWaitingRecords: -1 }, /maxWaitingRecords/],
  [{ streamName: "s", onEvent: "log" }, /onEvent: expected a function/],
])("%j is refused with what was expected", (options, message) => {
  expect(() => new Producer(options as never)).toThrow(ConfigError);
  expect(() => new Producer(options as never)).toThrow(message);
});
