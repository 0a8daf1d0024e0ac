import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { BodyBuffers, collectBody } from "./answer-body.ts";

/** A stream that has sent nothing yet. */
function stream(): EventEmitter {
  return new EventEmitter();
}

describe("an answer's body", () => {
  it("is taken whole, whatever its header said of its length", async () => {
    for (const expectedBytes of [0, 5, 200_000, 1_000_000]) {
      const source = stream();
      const collecting = collectBody(source, expectedBytes, new BodyBuffers());
      const chunks = Array.from({ length: 10 }, (_, index) => Buffer.alloc(20_000 + index, index));
      for (const chunk of chunks) source.emit("data", chunk);
      source.emit("end");
      const { buffer, length } = await collecting;
      expect(buffer.subarray(0, length).equals(Buffer.concat(chunks))).toBe(true);
    }
  });

  it("that is cut off is a failure", async () => {
    const source = stream();
    const collecting = collectBody(source, 10, new BodyBuffers());
    source.emit("data", Buffer.from("{"));
    source.emit("close");
    await expect(collecting).rejects.toThrow("cut off");
  });

  it("takes memory that was given back, and never what somebody else has", () => {
    const buffers = new BodyBuffers();
    const first = buffers.take(100_000);
    const second = buffers.take(100_000);
    expect(second).not.toBe(first);
    buffers.giveBack(first);
    expect(buffers.take(90_000)).toBe(first);
    expect(buffers.take(90_000)).not.toBe(first);
  });

  it("leaves no more memory behind than an answer takes [C6]", () => {
    const buffers = new BodyBuffers();
    const taken = Array.from({ length: 10 }, () => buffers.take(10_000_000));
    for (const buffer of taken) buffers.giveBack(buffer);
    const again = Array.from({ length: 10 }, () => buffers.take(10_000_000));
    expect(again.filter((buffer) => taken.includes(buffer))).toHaveLength(1);
  });
});
