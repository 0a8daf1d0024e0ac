/**
 * Pure. DryRun: a call that would have been allowed is answered with an error of its own, and does nothing.
 */
import { ServiceError } from "../service-error.ts";

/** @throws {ServiceError} DryRunOperationException when the call asked for a dry run. */
export function rejectDryRun(input: { readonly DryRun?: boolean | undefined }): void {
  if (input.DryRun !== true) return;
  throw new ServiceError(
    "DryRunOperationException",
    "Request would have succeeded, but the DryRun parameter was specified.",
  );
}
