/**
 * Adapter. A stream of bytes as lines, whatever bytes they are.
 */

const newline = 0x0a;

/** A line that grew past what anything here can hold. */
export class LineTooLongError extends Error {
  override readonly name = "LineTooLongError";
}

/**
 * The lines with their newlines, one array for each chunk that came; the last line may have none.
 * @throws {LineTooLongError} once a line without an end exceeds `maxLineBytes`, so that memory stays bounded.
 */
export async function* linesFrom(
  input: AsyncIterable<Uint8Array>,
  maxLineBytes = Infinity,
): AsyncGenerator<Uint8Array[]> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let lineNumber = 1;
  for await (const bytes of input) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end + 1);
      lines.push(pending.length === 0 ? piece : Buffer.concat([...pending, piece]));
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    lineNumber += lines.length;
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
    }
    yield lines;
    if (pendingBytes > maxLineBytes) {
      throw new LineTooLongError(`line ${lineNumber} has more than ${maxLineBytes} bytes, and no end yet`);
    }
  }
  if (pending.length > 0) yield [Buffer.concat(pending)];
}
