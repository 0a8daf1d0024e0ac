import { expect, test } from "vitest";
import { SendWindow } from "./send-window.ts";

function open(): SendWindow {
  return new SendWindow({ maxConnections: 24, maxBufferedBytes: 8_000_000 });
}

/** Starts what may start and ends it; gives how many that were. */
function round(window: SendWindow, wasAnswered: boolean, now: number): number {
  const requests = window.freeRequests(now);
  for (let count = 0; count < requests; count++) window.started(10);
  for (let count = 0; count < requests; count++) window.ended(10, wasAnswered, now, 0.5);
  return requests;
}

test("without answers it closes to one request and never to none, and answers open it again [C6]", () => {
  const window = open();
  expect([0, 2_000, 4_000].map((now) => round(window, false, now))).toEqual([24, 1, 1]);
  expect([6_000, 6_000, 6_000, 6_000].map((now) => round(window, true, now))).toEqual([1, 2, 8, 24]);
});

test("once closed to one, it pauses after each failure, for a second at most", () => {
  const window = open();
  round(window, false, 0);
  expect(window.freeRequests(0)).toBe(0);
  for (let failures = 0, now = 0; failures < 10; failures++) {
    expect(window.pausedUntil - now).toBeLessThanOrEqual(1_000);
    now = window.pausedUntil;
    expect(round(window, false, now)).toBe(1);
    expect(window.freeRequests(now)).toBe(0);
  }
  window.started(10);
  window.ended(10, true, 0, 0.5);
  expect(window.freeRequests(0)).toBe(2);
});

test("bytes under way stay within an eighth of the buffer and one request [C6]", () => {
  const window = open();
  let started = 0;
  while (window.freeBytes > 0) {
    window.started(300_000);
    started += 1;
  }
  expect(started).toBe(4);
  window.ended(300_000, true, 0, 0.5);
  expect(window.freeBytes).toBe(100_000);
  expect(window.isEmpty).toBe(false);
});
