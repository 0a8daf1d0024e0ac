/**
 * Pure. Frames of `application/vnd.amazon.eventstream`, the body of SubscribeToShard's answer.
 *
 *     frame   = total length (4) + headers length (4) + CRC-32 of these 8 (4) + headers + payload + CRC-32 of all before (4)
 *     header  = name length (1) + name + type 7 = text (1) + value length (2) + value
 *
 * Numbers are big-endian. The first frame is `initial-response`; then `SubscribeToShardEvent` frames; a failure is one
 * frame of type `exception`, after which the stream ends.
 * Source: smithy.io/2.0/aws/amazon-eventstream.html.
 */
import { crc32 } from "node:zlib";

/** A frame with an event of the given type. */
export function eventFrame(type: string, contentType: string, payload: Uint8Array): Uint8Array {
  return frame({ ":event-type": type, ":content-type": contentType, ":message-type": "event" }, payload);
}

/** A frame that tells of a failure; nothing may follow it. */
export function exceptionFrame(type: string, contentType: string, payload: Uint8Array): Uint8Array {
  return frame({ ":exception-type": type, ":content-type": contentType, ":message-type": "exception" }, payload);
}

function frame(headers: Readonly<Record<string, string>>, payload: Uint8Array): Uint8Array {
  const entries = Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
  const headersBytes = entries.reduce((sum, [name, value]) => sum + 4 + name.length + value.length, 0);
  const totalBytes = 12 + headersBytes + payload.length + 4;
  const bytes = Buffer.allocUnsafe(totalBytes);
  bytes.writeUInt32BE(totalBytes, 0);
  bytes.writeUInt32BE(headersBytes, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  let at = 12;
  for (const [name, value] of entries) {
    at = bytes.writeUInt8(name.length, at);
    at += name.copy(bytes, at);
    at = bytes.writeUInt8(7, at);
    at = bytes.writeUInt16BE(value.length, at);
    at += value.copy(bytes, at);
  }
  bytes.set(payload, at);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, totalBytes - 4)), totalBytes - 4);
  return bytes;
}
