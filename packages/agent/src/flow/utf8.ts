/**
 * Pure. Where UTF-8 text may be cut.
 * Source: RFC 3629, section 3: a character is a lead byte and up to three continuation bytes 10xxxxxx.
 */

/**
 * The longest prefix of `bytes` of at most `maxBytes` that cuts no character in two. Bytes that are not UTF-8 are cut
 * at `maxBytes`: there is no character to spare.
 */
export function utf8CutBytes(bytes: Uint8Array, maxBytes: number): number {
  if (bytes.byteLength <= maxBytes) return bytes.byteLength;
  for (let back = 0; back <= 3 && maxBytes - back > 0; back++) {
    const next = bytes[maxBytes - back] ?? 0;
    if (isContinuation(next)) continue;
    return back === 0 || back < characterBytes(next) ? maxBytes - back : maxBytes;
  }
  return maxBytes;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Bytes of the character that `lead` begins. */
function characterBytes(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}
