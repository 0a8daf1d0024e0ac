import { property, assert, bigInt } from "fast-check";
import { expect, it } from "vitest";

import { compareSequenceNumbers, isSequenceNumber } from "./sequence-number.ts";

it("orders like integers, whatever their lengths", () => {
  const sequenceNumber = bigInt({ min: 0n, max: 10n ** 129n - 1n });
  assert(
    property(sequenceNumber, sequenceNumber, (a, b) => {
      expect(Math.sign(compareSequenceNumbers(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

it.each([
  ["0", true],
  ["49590338271490256608559692538361571095921575989136588898", true],
  ["9".repeat(129), true],
  ["9".repeat(130), false],
  ["007", false],
  ["-1", false],
  ["LATEST", false],
  ["", false],
])("accepts %s: %s", (text, expected) => {
  expect(isSequenceNumber(text)).toBe(expected);
});
