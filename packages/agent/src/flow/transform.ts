/**
 * Pure. What a flow does to a record between reading and sending, as a type.
 */

/** Where a record comes from. */
export interface RecordSource {
  readonly path: string;
  readonly host: string;
}

/** Gives the record to send, or undefined where the flow's rules leave it out. */
export type Transform = (data: Uint8Array, source: RecordSource) => Uint8Array | undefined;
