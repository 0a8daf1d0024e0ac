import { array, assert, boolean, integer, property, shuffledSubarray } from "fast-check";
import { expect, test } from "vitest";
import { LowWaterMark, type Span } from "./low-water-mark.ts";

test("[C10] the mark is the end of the longest settled prefix, whatever the order in which spans settle", () => {
  const lengths = array(integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });
  assert(
    property(
      lengths.chain((all) => shuffledSubarray([...all.keys()]).map((order) => ({ all, order }))),
      ({ all, order }) => {
        const passed: Span[] = [];
        const mark = new LowWaterMark<Span>(7, (span) => passed.push(span));
        let endBytes = 7;
        const spans = all.map((length) => {
          endBytes += length;
          return { endBytes, settled: false };
        });
        for (const span of spans) mark.open(span);
        for (const index of order) {
          const span = spans[index];
          if (span === undefined) continue;
          const before = mark.positionBytes;
          const moved = mark.settle(span);
          const prefix = spans.findIndex((each) => !each.settled);
          const done = prefix < 0 ? spans : spans.slice(0, prefix);
          expect(mark.positionBytes).toBe(done.at(-1)?.endBytes ?? 7);
          expect(mark.positionBytes).toBeGreaterThanOrEqual(before);
          expect(mark.openSpans).toBe(spans.length - done.length);
          expect(passed).toEqual(done);
          expect(moved).toBe(done.includes(span));
        }
      },
    ),
  );
});

test("[C10] spans that were settled before they were opened are passed as soon as those before them are", () => {
  assert(
    property(array(boolean(), { maxLength: 40 }), (settled) => {
      const mark = new LowWaterMark<Span>(0, () => undefined);
      const spans = settled.map((isSettled, index) => ({ endBytes: index + 1, settled: isSettled }));
      for (const span of spans) mark.open(span);
      for (const span of spans) if (!span.settled) mark.settle(span);
      expect(mark.positionBytes).toBe(spans.length);
      expect(mark.openSpans).toBe(0);
    }),
  );
});

test("a span that ends before the one that came before it is a bug", () => {
  const mark = new LowWaterMark<Span>(0, () => undefined);
  mark.open({ endBytes: 5, settled: false });
  expect(() => mark.open({ endBytes: 4, settled: false })).toThrow(/came after 5/);
});

test("thousands of spans are let go as the mark passes them", () => {
  const mark = new LowWaterMark<Span>(0, () => undefined);
  const spans = Array.from({ length: 10_000 }, (_, index) => ({ endBytes: index, settled: false }));
  for (const span of spans) mark.open(span);
  for (const span of spans) mark.settle(span);
  expect(mark.openSpans).toBe(0);
  expect(mark.positionBytes).toBe(9_999);
});
