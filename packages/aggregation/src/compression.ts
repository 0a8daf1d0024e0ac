/**
 * Pure. A compressed aggregate: an aggregate of one member, whose data are another aggregate's bytes, compressed, and whose
 * tag says how. No payload is ever taken for compressed by its looks.
 *
 *     compressed = aggregate { member: key, hash key of the first user record, compress(aggregate), tag }
 *
 * Readers that know nothing of it see one user record with its tag.
 */
import zlib from "node:zlib";
import { isFramed } from "./format.ts";
import { MAX_RECORD_BYTES } from "./record.ts";

/** How an aggregate is compressed. */
export type CompressionAlgorithm = "gzip" | "zstd";

/** The tag that marks a compressed aggregate; its value is the algorithm. */
export const COMPRESSION_TAG = "millrace.compression";

/** What an honest aggregate may grow to whatever its ratio: twice what most streams take in a record. */
const ALWAYS_ALLOWED_BYTES = 2_097_152;
/** How far a compressed aggregate may grow beyond that, as a multiple of its compressed bytes. */
const MAX_RATIO = 100;
/** The largest aggregate that is opened: the largest record of any stream, with its wrapping. */
const MAX_OPENED_BYTES = MAX_RECORD_BYTES + 65_536;

/** Most bytes that this many compressed bytes may turn into; beyond it they are taken for hostile. */
export function maxOpenedBytes(compressedBytes: number): number {
  return Math.min(MAX_OPENED_BYTES, Math.max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * compressedBytes));
}

/** True when this runtime has the algorithm. zstd came with Node 22.15 and 23.8. */
export function canCompress(algorithm: CompressionAlgorithm): boolean {
  return algorithm === "gzip" || typeof (zlib as { zstdDecompressSync?: unknown }).zstdDecompressSync === "function";
}

/** The aggregate in the data of a member that is tagged with `algorithm`; undefined when it cannot be opened. */
export function openCompressed(compressed: Uint8Array, algorithm: string): Buffer | undefined {
  if ((algorithm !== "gzip" && algorithm !== "zstd") || !canCompress(algorithm)) return undefined;
  const bounds = { maxOutputLength: maxOpenedBytes(compressed.byteLength) };
  try {
    const opened =
      algorithm === "gzip" ? zlib.gunzipSync(compressed, bounds) : zlib.zstdDecompressSync(compressed, bounds);
    return isFramed(opened) ? opened : undefined;
  } catch {
    // Damaged, cut short, or larger than an honest one: in each case there is nothing to open.
    return undefined;
  }
}
