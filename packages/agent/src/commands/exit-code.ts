/**
 * Pure. How the process ends, for service managers and scripts.
 * Source: sysexits.h of BSD: EX_USAGE, EX_SOFTWARE, EX_TEMPFAIL, EX_CONFIG.
 */
import { ConfigError } from "@millrace/core/options";

export const exitCode = {
  done: 0,
  usage: 64,
  bug: 70,
  tryAgain: 75,
  configuration: 78,
} as const;

/** Failures that another start does not mend. */
const needsOperator = new Set(["ERR_POSITIONS_UNREADABLE", "ERR_CHECKPOINTS_UNREADABLE", "ERR_AMBIGUOUS_FILE"]);

/** The exit code that an error asks for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return exitCode.configuration;
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  if (typeof code === "string" && needsOperator.has(code)) return exitCode.configuration;
  if (code === "ERR_POSITIONS_UNAVAILABLE") return exitCode.tryAgain;
  // A failure of the host, such as a full disk.
  return typeof syscall === "string" ? exitCode.tryAgain : exitCode.bug;
}
