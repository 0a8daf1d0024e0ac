/**
 * Pure. Which file is this? Evidence that a path still leads to the bytes the agent has read.
 *
 * A generation (one life of one log file) has a random id. Device and inode, the hash of its first bytes and the hash
 * of the bytes before a position are evidence for the id, never the id itself: inodes are reused, paths are rotated,
 * and a file can be emptied and filled again between two looks.
 * Source: `docs/SPEC.md` [C9]; Fluent Bit's tail marker and the prefix-growing fingerprint of OpenTelemetry's filelog.
 */
import { hash } from "node:crypto";

/** Bytes of a file's beginning that its fingerprint covers at most. */
export const fingerprintMaxBytes = 1024;

/** Bytes before a position that its marker covers at most. */
export const markerMaxBytes = 64;

/** The hash of some bytes, and how many they were. Length 0 says nothing about a file. */
export interface BytesHash {
  readonly lengthBytes: number;
  /** Hexadecimal; empty for length 0. */
  readonly digest: string;
}

export const emptyHash: BytesHash = { lengthBytes: 0, digest: "" };

/** The hash of `bytes` as evidence. */
export function hashBytes(bytes: Uint8Array): BytesHash {
  if (bytes.byteLength === 0) return emptyHash;
  // 128 of SHA-256's bits: a chance match among files is out of the question, and the position rows stay small.
  return { lengthBytes: bytes.byteLength, digest: hash("sha256", bytes, "hex").slice(0, 32) };
}

/** True when `bytes` begin with what was hashed. Too few bytes do not match. */
export function beginsWith(bytes: Uint8Array, expected: BytesHash): boolean {
  if (expected.lengthBytes === 0) return true;
  if (bytes.byteLength < expected.lengthBytes) return false;
  return hashBytes(bytes.subarray(0, expected.lengthBytes)).digest === expected.digest;
}

/** What the agent remembers of a file that it may have to recognise. */
export interface Evidence {
  readonly fingerprint: BytesHash;
  /** Everything before it has been read. */
  readonly positionBytes: number;
  /** The bytes that end at `positionBytes`. */
  readonly marker: BytesHash;
}

/** What was read from a file to hold against the evidence. */
export interface Probe {
  readonly sizeBytes: number;
  /** The file's first bytes, as many as the fingerprint covers where there are so many. */
  readonly head: Uint8Array;
  /** The bytes that end at the position where the file is that long; empty otherwise. */
  readonly beforePosition: Uint8Array;
}

/**
 * What a probe says:
 * - `same`: it begins with the same bytes, and the bytes before the position are the same.
 * - `shorter`: it begins with the same bytes and ends before the position.
 * - `different`: other bytes, or too few to tell.
 */
export type Verdict = "same" | "shorter" | "different";

export function judge(evidence: Evidence, probe: Probe): Verdict {
  if (!beginsWith(probe.head, evidence.fingerprint)) return "different";
  if (probe.sizeBytes < evidence.positionBytes) return "shorter";
  const before = hashBytes(probe.beforePosition);
  if (before.lengthBytes !== evidence.marker.lengthBytes) return "different";
  return before.digest === evidence.marker.digest ? "same" : "different";
}

/**
 * True when a match cannot be chance: a whole fingerprint and a whole marker. Two short files of the same few bytes
 * may be two files.
 */
export function isStrong(evidence: Evidence): boolean {
  return evidence.fingerprint.lengthBytes >= fingerprintMaxBytes && evidence.marker.lengthBytes >= markerMaxBytes;
}
