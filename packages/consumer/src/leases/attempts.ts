/**
 * Pure. Calls of a handler that were begun on the record after a checkpoint: they outlive the process that made them.
 *
 * They stand in one private attribute of the lease, together with the checkpoint that they belong to: a Java worker
 * moves the checkpoint and leaves the attribute as it is, and it must not be held against another record then.
 */
import { formatCheckpoint, type Checkpoint } from "../checkpoint/checkpoint.ts";
import { textOf, type Attribute, type Row } from "./table-row.ts";

/** What is known about the record after the checkpoint. */
export interface Attempts {
  /** Calls that were begun on this very record, and did not succeed as far as anybody knows. */
  readonly made: number;
  /**
   * True from before a call until its end is known. Found by a successor, it says that the worker before vanished
   * while it called the handler: on this record, or on one of those after it that it had not come to checkpoint.
   */
  readonly isUnderWay: boolean;
  /**
   * The record, where it is not the one right after the checkpoint: a member of a compressed Kinesis record, in which no
   * checkpoint can stand.
   */
  readonly at?: Checkpoint | undefined;
}

/** Name of the private attribute. */
export const attemptsAttribute = "millraceAttempts";

/** The attribute's value: `3 under-way 49657...:17`, or `3 under-way 49657...:17 49658...:4` for a record further on. */
export function attemptsValue(attempts: Attempts, checkpoint: Checkpoint): Attribute {
  const { made, isUnderWay, at } = attempts;
  const where = at === undefined ? "" : ` ${formatCheckpoint(at)}`;
  return { S: `${made} ${isUnderWay ? "under-way" : "ended"} ${formatCheckpoint(checkpoint)}${where}` };
}

/** What a row says about the record after `checkpoint`; undefined when it says nothing, or speaks of another place. */
export function parseAttempts(row: Row, checkpoint: Checkpoint): Attempts | undefined {
  const match = /^(\d{1,15}) (under-way|ended) (\S+)(?: (\d{1,128}):(\d{1,15}))?$/.exec(
    textOf(row, attemptsAttribute) ?? "",
  );
  if (match === null || match[3] !== formatCheckpoint(checkpoint)) return undefined;
  const [, made, phase, , sequenceNumber, subSequenceNumber] = match;
  const counted = { made: Number(made), isUnderWay: phase === "under-way" };
  if (sequenceNumber === undefined) return counted;
  return { ...counted, at: { sequenceNumber, subSequenceNumber: Number(subSequenceNumber) } };
}
