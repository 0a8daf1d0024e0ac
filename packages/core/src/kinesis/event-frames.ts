/**
 * Pure. Reads frames of `application/vnd.amazon.eventstream`, the body of SubscribeToShard's answer, from the pieces in which
 * they come.
 *
 *     frame   = total length (4) + headers length (4) + CRC-32 of these 8 (4) + headers + payload + CRC-32 of all before (4)
 *     header  = name length (1) + name + type (1) + value
 *     value   = type 7, text, and 6, bytes: length (2) + content; others are of fixed lengths
 *
 * Numbers are big-endian. Source: smithy.io/2.0/aws/amazon-eventstream.html.
 */
import { crc32 } from "node:zlib";

/** A frame, told by its headers. The payload is a view of what was pushed. */
export interface EventFrame {
  /** Texts by name; headers of other types are left out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** A stream that is none, or was damaged on its way. */
export class EventStreamError extends Error {
  override readonly name = "EventStreamError";
}

const preludeBytes = 12;
const checksumBytes = 4;
/** Source: the specification's bound of a payload, 16 MiB, and of headers, 128 KiB. */
const largestBytes = 16 * 1024 * 1024 + 131_072 + preludeBytes + checksumBytes;
/** Bytes of a header's value by its type; text and bytes tell theirs. */
const valueBytes = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];
const typeBytes = 6;
const typeText = 7;

/** Puts pieces together and takes them apart as frames. */
export class EventFrames {
  #piece: Buffer = Buffer.alloc(0);
  /** A frame that began in an earlier piece, as far as it has come. */
  #partial: Buffer | undefined;
  #partialBytes = 0;

  /** Adds a piece. Every frame before it must have been taken. */
  push(piece: Uint8Array): void {
    this.#piece = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  }

  /** True when the stream may end here. */
  get isBetweenFrames(): boolean {
    return this.#piece.length === 0 && this.#partial === undefined;
  }

  /**
   * The next whole frame; undefined when more pieces are needed.
   * @throws {EventStreamError} when a checksum is wrong or a length impossible.
   */
  next(): EventFrame | undefined {
    if (this.#partial === undefined) {
      if (this.#piece.length >= preludeBytes) {
        const total = frameBytes(this.#piece);
        if (this.#piece.length >= total) {
          const frame = this.#piece.subarray(0, total);
          this.#piece = this.#piece.subarray(total);
          return parseFrame(frame);
        }
        this.#partial = Buffer.allocUnsafe(total);
      } else if (this.#piece.length > 0) {
        this.#partial = Buffer.allocUnsafe(preludeBytes);
      } else return undefined;
      this.#partialBytes = 0;
    }
    return this.#fillPartial(this.#partial);
  }

  #fillPartial(partial: Buffer): EventFrame | undefined {
    const copied = this.#piece.copy(partial, this.#partialBytes);
    this.#partialBytes += copied;
    this.#piece = this.#piece.subarray(copied);
    if (this.#partialBytes < partial.length) return undefined;
    if (partial.length === preludeBytes) {
      const whole = Buffer.allocUnsafe(frameBytes(partial));
      partial.copy(whole);
      this.#partial = whole;
      return this.#fillPartial(whole);
    }
    this.#partial = undefined;
    return parseFrame(partial);
  }
}

/** The length of the frame that begins with this prelude. */
function frameBytes(prelude: Buffer): number {
  if (crc32(prelude.subarray(0, 8)) !== prelude.readUInt32BE(8))
    throw new EventStreamError("wrong checksum of a prelude");
  const total = prelude.readUInt32BE(0);
  const isPossible = total >= preludeBytes + checksumBytes + prelude.readUInt32BE(4) && total <= largestBytes;
  if (!isPossible) throw new EventStreamError(`a frame of ${total} bytes`);
  return total;
}

function parseFrame(frame: Buffer): EventFrame {
  const end = frame.length - checksumBytes;
  if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end))
    throw new EventStreamError("wrong checksum of a frame");
  const headersEnd = preludeBytes + frame.readUInt32BE(4);
  const headers: Record<string, string> = {};
  for (let at = preludeBytes; at < headersEnd;) {
    const nameEnd = at + 1 + (frame[at] ?? 0);
    const type = frame[nameEnd] ?? -1;
    const hasLength = type === typeText || type === typeBytes;
    const valueAt = nameEnd + (hasLength ? 3 : 1);
    const length = hasLength ? frame.readUInt16BE(nameEnd + 1) : valueBytes[type];
    if (length === undefined || valueAt + length > headersEnd)
      throw new EventStreamError("a header that does not parse");
    if (type === typeText)
      headers[frame.toString("utf8", at + 1, nameEnd)] = frame.toString("utf8", valueAt, valueAt + length);
    at = valueAt + length;
  }
  return { headers, payload: frame.subarray(headersEnd, end) };
}
