/**
 * Driver. Looks into a file that is open and not followed yet: a read that fails must not leave its handle open.
 */
import type { OpenFile } from "./files.ts";
import type { GenerationBook } from "./generation-book.ts";

/** What `look` gives. Where it throws, the file is closed, unless a generation has taken it up. */
export async function orClose<T>(book: GenerationBook, file: OpenFile, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    for (const generation of book.generations.values()) if (generation.file === file) throw error;
    await file.close();
    throw error;
  }
}
