/**
 * Adapter. Dead letters as lines of JSON in a file.
 */
import { open } from "node:fs/promises";
import { deadLetterJson, type DeadLetter } from "../processing/dead-letter.ts";

/**
 * A dead letter that appends each failed record to a file as one line of JSON, its payload in base64, and resolves once
 * the line is on disk.
 * @param path of the file; it is created where it does not exist. Several workers may share it on one host.
 */
export function deadLetterFile(path: string): DeadLetter {
  let chain: Promise<unknown> = Promise.resolve();
  return {
    send(failed) {
      // One line after another: two writes at a time could interleave.
      const written = chain.then(() => append(path, `${deadLetterJson(failed)}\n`));
      chain = written.catch(() => undefined);
      return written;
    },
  };
}

async function append(path: string, text: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.appendFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}
