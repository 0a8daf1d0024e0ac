/**
 * Pure. MD5 of a short ASCII text without any allocation, for partition keys.
 *
 * The platform's MD5 costs more in the call and in its answer's text than in the hashing of 16 to 55 bytes.
 * Source: RFC 1321; the compression function is written out by `scripts/md5-block.ts`.
 */
import { md5Block } from "./generated/md5-block.ts";

/** Longest text that fits into one block with its padding: 64 bytes less one of padding and eight of length. */
const ONE_BLOCK_BYTES = 55;
const MAX_ASCII = 0x7f;

// One digest at a time: nothing here waits, so two of them cannot meet in these words.
const block = new Int32Array(16);
const digest = new Int32Array(4);

/**
 * The digest of `text` as four little-endian words, valid until the next call; undefined when the text is longer than 55
 * characters or not all ASCII.
 */
export function md5OfShortAscii(text: string): Int32Array | undefined {
  const { length } = text;
  if (length > ONE_BLOCK_BYTES) return undefined;
  let seen = 0;
  let place = 0;
  let index = 0;
  for (; index + 3 < length; index += 4) {
    const first = text.charCodeAt(index);
    const second = text.charCodeAt(index + 1);
    const third = text.charCodeAt(index + 2);
    const fourth = text.charCodeAt(index + 3);
    seen |= first | second | third | fourth;
    block[place++] = first | (second << 8) | (third << 16) | (fourth << 24);
  }
  let last = 0;
  let shift = 0;
  for (; index < length; index++) {
    const code = text.charCodeAt(index);
    seen |= code;
    last |= code << shift;
    shift += 8;
  }
  if (seen > MAX_ASCII) return undefined;
  block[place++] = last | (0x80 << shift);
  while (place < 14) block[place++] = 0;
  block[14] = length << 3;
  block[15] = 0;
  md5Block(block, digest);
  return digest;
}
