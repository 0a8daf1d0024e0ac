/**
 * Pure. Tells failures of the host from faults of this program.
 */

/** A failure of the host, such as EIO or EMFILE, that may pass. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return error instanceof Error && typeof code === "string" && typeof syscall === "string";
}
