import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { expect, it } from "vitest";

import { createEventPublisher, describeError } from "./events.ts";

it("gives an event to the callback and to the diagnostics channel", () => {
  const fromCallback: unknown[] = [];
  const fromChannel: unknown[] = [];
  const listener = (event: unknown) => fromChannel.push(event);
  subscribe("millrace:test-both", listener);
  const publisher = createEventPublisher("millrace:test-both", (event) => fromCallback.push(event));
  publisher.publish({ type: "started" });
  unsubscribe("millrace:test-both", listener);
  expect(fromCallback).toEqual([{ type: "started" }]);
  expect(fromChannel).toEqual([{ type: "started" }]);
});

it("knows whether anybody listens", () => {
  expect(createEventPublisher("millrace:test-nobody", undefined).hasListeners).toBe(false);
  expect(createEventPublisher("millrace:test-nobody", () => undefined).hasListeners).toBe(true);
});

it("survives a callback that throws, and warns once", async () => {
  const publisher = createEventPublisher("millrace:test-throws", () => {
    throw new TypeError("broken observer");
  });
  const warned = once(process, "warning");
  publisher.publish({ type: "started" });
  publisher.publish({ type: "stopped" });
  const [warning] = (await warned) as [Error & { code: string }];
  expect(warning.code).toBe("MILLRACE_ON_EVENT_THREW");
  expect(warning.message).toContain('"started"');
});

it("describes an error in one line", () => {
  expect(describeError(Object.assign(new Error("gone"), { code: "ENOENT" }))).toBe("ENOENT: gone");
  expect(describeError(new TypeError("odd"))).toBe("TypeError: odd");
  expect(describeError("text")).toBe("text");
});
