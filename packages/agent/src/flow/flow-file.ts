/**
 * Pure. A file of a flow, as it is shown.
 */

/** A file of a flow, for status and metrics. */
export interface FlowFile {
  readonly path: string;
  readonly generation: string;
  readonly status: string;
  readonly sizeBytes: number;
  readonly readBytes: number;
  readonly savedBytes: number;
}
