/**
 * Pure. MD5 of many messages at once, for the digests of aggregates.
 *
 * MD5 of one message cannot be spread over a processor's vector units, that of eight can: 3.6 GB/s on one core against
 * 0.8 GB/s one by one (measured on Node 24, 2026-11-22). `scripts/md5-lanes.ts` assembles the module.
 */
import { hash } from "node:crypto";
import { layout, md5LanesModule } from "./generated/md5-lanes.ts";

/** Bytes of an MD5 digest. */
const digestBytes = 16;
const blockBytes = 64;
const lanes = 8;
/** Longer messages are hashed one by one: the module's memory, which is never given back, stays under 2.2 MB. */
const longestBytes = 262_144;
/** With less company than this many messages as long as its longest, a group of eight costs more than one by one. */
const leastCompany = 2.5;

interface Lanes {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  digest(first: number, stride: number, blocks: number): void;
}

/** The part of the platform's WebAssembly that is used here; older runtimes and hardened ones have none. */
interface Platform {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

let known: Lanes | undefined;
let isUnavailable = false;

/** The module, made when first needed; undefined where the platform has no WebAssembly or no vectors in it. */
function lanesOrUndefined(): Lanes | undefined {
  if (known !== undefined || isUnavailable) return known;
  const { WebAssembly } = globalThis as { readonly WebAssembly?: Platform };
  try {
    if (WebAssembly !== undefined) {
      const module = new WebAssembly.Module(Buffer.from(md5LanesModule, "base64"));
      known = new WebAssembly.Instance(module).exports as Lanes;
    }
  } catch {
    // It does not know vectors.
  }
  isUnavailable = known === undefined;
  return known;
}

/** The digests of `messages` in their order, 16 bytes each. */
export function md5OfMany(messages: readonly Uint8Array[]): Buffer {
  const digests = Buffer.allocUnsafe(messages.length * digestBytes);
  // Messages of about one length share a group: it takes as long as its longest.
  const order = messages.map((_, index) => index);
  if (messages.length > lanes) order.sort((a, b) => lengthAt(messages, b) - lengthAt(messages, a));
  for (let at = 0; at < order.length; at += lanes) digestGroup(messages, order.slice(at, at + lanes), digests);
  return digests;
}

function lengthAt(messages: readonly Uint8Array[], index: number): number {
  return messages[index]?.byteLength ?? 0;
}

function digestGroup(messages: readonly Uint8Array[], group: readonly number[], digests: Buffer): void {
  let longest = 0;
  let total = 0;
  for (const index of group) {
    const length = lengthAt(messages, index);
    longest = Math.max(longest, length);
    total += length;
  }
  const module = longest <= longestBytes && total >= leastCompany * longest ? lanesOrUndefined() : undefined;
  if (module !== undefined) {
    digestInLanes(module, messages, group, longest, digests);
    return;
  }
  for (const index of group) {
    // Text out of crypto.hash costs less than a Buffer out of it.
    digests.write(hash("md5", messages[index] ?? new Uint8Array(), "hex"), index * digestBytes, digestBytes, "hex");
  }
}

function digestInLanes(
  module: Lanes,
  messages: readonly Uint8Array[],
  group: readonly number[],
  longest: number,
  digests: Buffer,
): void {
  const mostBlocks = paddedBytes(longest) / blockBytes;
  const stride = mostBlocks * blockBytes;
  const missing = layout.messages + lanes * stride - module.memory.buffer.byteLength;
  if (missing > 0) module.memory.grow(Math.ceil(missing / 65_536));
  const bytes = new Uint8Array(module.memory.buffer);
  const view = new DataView(module.memory.buffer);
  for (let lane = 0; lane < lanes; lane++) {
    const message = messages[group[lane] ?? -1];
    view.setInt32(
      layout.blockCounts + 4 * lane,
      message === undefined ? 0 : paddedBytes(message.byteLength) / blockBytes,
      true,
    );
    if (message !== undefined) writePadded(bytes, view, layout.messages + lane * stride, message);
  }
  module.digest(layout.messages, stride, mostBlocks);
  for (const [lane, index] of group.entries()) {
    for (let word = 0; word < 4; word++) {
      // Four lanes make a vector, four vectors a state.
      const at = layout.digests + 64 * (lane >> 2) + 16 * word + 4 * (lane & 3);
      digests.writeInt32LE(view.getInt32(at, true), index * digestBytes + 4 * word);
    }
  }
}

/** A message's bytes with its padding: a one bit, zeros, and its length in eight bytes. */
function paddedBytes(length: number): number {
  return Math.ceil((length + 9) / blockBytes) * blockBytes;
}

function writePadded(bytes: Uint8Array, view: DataView, at: number, message: Uint8Array): void {
  const { byteLength } = message;
  const end = at + paddedBytes(byteLength);
  bytes.set(message, at);
  bytes[at + byteLength] = 0x80;
  bytes.fill(0, at + byteLength + 1, end - 8);
  view.setUint32(end - 8, byteLength * 8, true);
  view.setUint32(end - 4, 0, true);
}
