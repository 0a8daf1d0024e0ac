/**
 * Pure. What the sender takes, and where records go that no destination will.
 */
import type { OutgoingRecord } from "../destination.ts";
import type { PendingSpan } from "./generation.ts";

/** A record on its way, with the span it settles. */
export interface Shipment {
  readonly record: OutgoingRecord;
  readonly span: PendingSpan;
  /** Why it goes to the dead letters without being put. */
  readonly unfit?: Error | undefined;
  /** Counts up in the order of reading. */
  readonly order: number;
}

/** Takes records that the destination will never accept. Rejects when it could not keep one. */
export interface DeadLetters {
  write(shipment: Shipment, error: unknown): Promise<void>;
}
