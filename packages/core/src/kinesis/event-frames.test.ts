import * as fc from "fast-check";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { EventFrames, EventStreamError, type EventFrame } from "./event-frames.ts";

function uint(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

/** A header of type 7, text. */
function textHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  return Buffer.concat([uint(nameBytes.length, 1), nameBytes, uint(7, 1), uint(valueBytes.length, 2), valueBytes]);
}

function frameOf(headers: Buffer, payload: Uint8Array): Buffer {
  const lengths = Buffer.concat([uint(16 + headers.length + payload.length, 4), uint(headers.length, 4)]);
  const body = Buffer.concat([lengths, uint(crc32(lengths), 4), headers, payload]);
  return Buffer.concat([body, uint(crc32(body), 4)]);
}

function readAll(pieces: readonly Uint8Array[]): { frames: EventFrame[]; isWhole: boolean } {
  const reader = new EventFrames();
  const frames: EventFrame[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  }
  return { frames, isWhole: reader.isBetweenFrames };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe("frames of an event stream", () => {
  it("are read whole, wherever their bytes were cut", () => {
    const frame = fc.record({ type: fc.string({ maxLength: 20 }), payload: fc.uint8Array({ maxLength: 200 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(5_000), { maxLength: 20 }), (wanted, places) => {
        const bytes = Buffer.concat(
          wanted.map(({ type, payload }) => frameOf(textHeader(":event-type", type.toWellFormed()), payload)),
        );
        const { frames, isWhole } = readAll(cut(bytes, places));
        expect(frames).toEqual(
          wanted.map(({ type, payload }) => ({
            headers: { ":event-type": type.toWellFormed() },
            payload: Buffer.from(payload),
          })),
        );
        expect(isWhole).toBe(true);
      }),
    );
  });

  it("are known to be cut off when the stream ends within one", () => {
    const bytes = frameOf(textHeader(":event-type", "E"), Buffer.from("payload"));
    for (let end = 1; end < bytes.length; end++) {
      expect(readAll([bytes.subarray(0, end)])).toEqual({ frames: [], isWhole: false });
    }
  });

  it("are refused when any byte of them was damaged", () => {
    const bytes = frameOf(textHeader(":event-type", "E"), Buffer.from("payload"));
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      expect(() => readAll([damaged]), `byte ${at}`).toThrow(EventStreamError);
    }
  });

  it("may have headers of every type, of which the texts are told", () => {
    const others = [
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 4],
      [5, 8],
      [8, 8],
      [9, 16],
    ].map(([type = 0, bytes = 0]) => Buffer.concat([uint(1, 1), Buffer.from("h"), uint(type, 1), Buffer.alloc(bytes)]));
    const bytes6 = Buffer.concat([uint(1, 1), Buffer.from("b"), uint(6, 1), uint(3, 2), Buffer.alloc(3)]);
    const headers = Buffer.concat([...others, bytes6, textHeader("t", "text")]);
    expect(readAll([frameOf(headers, Buffer.alloc(0))]).frames).toEqual([
      { headers: { t: "text" }, payload: Buffer.alloc(0) },
    ]);
    expect(() =>
      readAll([frameOf(Buffer.concat([uint(1, 1), Buffer.from("h"), uint(77, 1)]), Buffer.alloc(0))]),
    ).toThrow("a header that does not parse");
  });

  it("are not waited for in lengths that no frame has [C6]", () => {
    for (const total of [8, 15, 2 ** 31]) {
      const lengths = Buffer.concat([uint(total, 4), uint(0, 4)]);
      expect(() => readAll([Buffer.concat([lengths, uint(crc32(lengths), 4)])])).toThrow(EventStreamError);
    }
  });
});
