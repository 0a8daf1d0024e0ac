import { expect, it } from "vitest";
import { ByteRegion } from "./byte-region.ts";

it("gives the room of one unusually large content back when it is cleared", () => {
  const region = new ByteRegion(16);
  region.reserve(10_000_000);
  region.writeContent(0x1a, Buffer.alloc(9_000_000, 1), 9_000_000);
  region.clear();
  expect(region.bytes.length).toBeLessThanOrEqual(65_536);
  region.reserve(5);
  region.writeContent(0x1a, "abc", 3);
  expect(region.bytes.subarray(0, region.length).toString("latin1")).toBe("\u001a\u0003abc");
});
