/**
 * Adapter. A folder of our own under the system's folder for temporary files.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes an empty folder and gives its path. */
export function createScratchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "millrace-quickstart-"));
}

/** Removes the folder with everything in it. */
export function removeScratchFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}
