import { array, assert, constantFrom, property, shuffledSubarray, uint8Array } from "fast-check";
import { expect, it } from "vitest";

import { LineLedger } from "./line-ledger.ts";

const bytes = (text: string) => Buffer.from(text);
const record = (text: string, subSequenceNumber: number) => ({
  data: bytes(text),
  sequenceNumber: "9",
  subSequenceNumber,
});

it("finds every shipped line, whatever its order and however often it stands in the file", () => {
  const line = uint8Array({ maxLength: 20 }).filter((value) => !value.includes(0x0a));
  assert(
    property(
      array(line).chain((lines) =>
        shuffledSubarray(lines, { minLength: lines.length }).map((mixed) => ({ lines, mixed })),
      ),
      ({ lines, mixed }) => {
        const ledger = new LineLedger();
        for (const value of lines) ledger.ship(value);
        mixed.forEach((data, index) => ledger.deliver("shard", [{ data, sequenceNumber: String(index) }]));
        expect(ledger.verdict()).toEqual({
          linesShipped: lines.length,
          linesDelivered: lines.length,
          lost: 0,
          unexpected: 0,
          duplicates: 0,
          outOfOrder: 0,
        });
      },
    ),
  );
});

it("counts a missing line as lost even where an equal one arrived", () => {
  assert(
    property(array(constantFrom("a", "b"), { minLength: 1 }), (lines) => {
      const ledger = new LineLedger();
      for (const value of lines) ledger.ship(bytes(value));
      lines.slice(1).forEach((value, index) => {
        ledger.deliver("shard", [{ data: bytes(value), sequenceNumber: String(index) }]);
      });
      expect(ledger.verdict()).toMatchObject({ lost: 1, unexpected: 0 });
    }),
  );
});

it("counts a changed line as lost and unexpected", () => {
  const ledger = new LineLedger();
  ledger.ship(bytes("GET /a 200\n"));
  ledger.deliver("shard", [{ data: bytes("GET /a 20\n"), sequenceNumber: "1" }]);
  expect(ledger.verdict()).toMatchObject({ lost: 1, unexpected: 1 });
});

it("tells what a second worker reads again from what is new", () => {
  const ledger = new LineLedger();
  for (const value of ["a", "b", "c"]) ledger.ship(bytes(value));
  ledger.deliver("shard", [record("a", 0), record("b", 1)]);
  ledger.deliver("shard", [record("b", 1), record("c", 2)]);
  expect(ledger.verdict()).toMatchObject({ linesDelivered: 3, lost: 0, duplicates: 1, outOfOrder: 0 });
});

it("notices a shard that does not keep its order", () => {
  const ledger = new LineLedger();
  ledger.deliver("shard", [
    { data: bytes("a"), sequenceNumber: "100" },
    { data: bytes("b"), sequenceNumber: "99" },
  ]);
  expect(ledger.verdict().outOfOrder).toBe(1);
});
