/**
 * Pure. The order of sequence numbers: they are integers of up to 129 digits, never to be compared as text.
 *
 * Source: API_SequenceNumberRange, pattern `0|([1-9]\d{0,128})`.
 */

/** Negative, zero or positive as `a` stands before, at or after `b`. Both must be canonical decimal numbers. */
export function compareSequenceNumbers(a: string, b: string): number {
  // Without leading zeros the longer number is the larger one, and of equal lengths text order is number order.
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** True for what the service can have issued: a decimal integer without sign or leading zeros, of at most 129 digits. */
export function isSequenceNumber(text: string): boolean {
  return /^(?:0|[1-9]\d{0,128})$/.test(text);
}
