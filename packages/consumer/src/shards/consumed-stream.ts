/**
 * Pure. A stream as this consumer reads it: how to address it, how its leases are called, where to begin.
 */
import type { StreamRef } from "@millrace/core/kinesis";
import type { InitialPosition } from "./shard-sync.ts";

/** Where reading begins on a stream of which nothing was read yet. */
export type StartAt =
  | { readonly type: "TRIM_HORIZON" }
  | { readonly type: "LATEST" }
  | { readonly type: "AT_TIMESTAMP"; readonly timestamp: Date };

export interface ConsumedStream {
  readonly streamName: string;
  readonly ref: StreamRef;
  /** What stands before the shard's id in a lease key: nothing, or `account:stream:creationEpoch:`. */
  readonly leaseKeyPrefix: string;
  /** `account:stream:creationEpoch` with several streams. */
  readonly streamIdentifier: string | undefined;
  readonly startAt: StartAt;
}

/** The sentinel that new leases of the stream begin with. */
export function initialPositionOf(stream: ConsumedStream): InitialPosition {
  return stream.startAt.type;
}
