/**
 * Pure. Where records go, as an interface: a Producer is one.
 */

/** A record as a destination takes it. */
export interface OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** Takes records and says when each is stored. */
export interface Destination {
  /**
   * Resolves once the record is stored. The `scope` of a rejection says whose fault it is: `record` when this record
   * will never be accepted; with anything else the flow waits and puts it again.
   */
  put(record: OutgoingRecord, options?: { readonly signal?: AbortSignal }): Promise<unknown>;
  /**
   * As `put`, without a promise, where the destination can do without: false when it has no room. `onSettled` gets the
   * error of a record that was not stored.
   */
  offer?(record: OutgoingRecord, onSettled: (result: unknown, error?: unknown) => void): boolean;
  /** Resolves when there is room. */
  ready(): Promise<void>;
  /** Resolves once everything that was put is settled. */
  flush(): Promise<void>;
  /** Ends it. Puts that are not settled when the signal aborts are rejected. */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** A put that failed. `scope` says whose fault it is, as with the producer's PutError. */
export class DestinationError extends Error {
  override readonly name = "DestinationError";
  readonly code: string;
  /** `record`: it will never be accepted. `stream`: nothing will, until somebody acts. `lifetime`: it may be, later. */
  readonly scope: "record" | "stream" | "lifetime";

  constructor(fields: {
    readonly scope: "record" | "stream" | "lifetime";
    readonly code: string;
    readonly message: string;
    readonly cause?: unknown;
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.scope = fields.scope;
  }
}
