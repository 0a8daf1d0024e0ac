/**
 * Driver. Where the reading of a leased shard begins.
 *
 * Source: kcl.md 4.4 and 5.3. LATEST is turned into the time at which it was meant (SPEC S2): asked for again, it would
 * skip what came between.
 */
import type { KinesisPort, StartingPosition } from "@millrace/core/kinesis";
import { isSentinel } from "../checkpoint/checkpoint.ts";
import type { HeldLease } from "../leases/held-lease.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import { kinesisAnswer, type StartPorts } from "../start-calls.ts";

/** The position after the lease's checkpoint; a record's own place is included, because it may be inside an aggregate. */
export async function startingPosition(
  ports: Omit<StartPorts, "signal"> & { readonly kinesis: KinesisPort },
  stream: ConsumedStream,
  held: HeldLease,
): Promise<StartingPosition> {
  const { sequenceNumber } = held.checkpointed;
  if (!isSentinel(sequenceNumber)) return { type: "AT_SEQUENCE_NUMBER", sequenceNumber };
  if (sequenceNumber === "AT_TIMESTAMP" && stream.startAt.type === "AT_TIMESTAMP") return stream.startAt;
  if (sequenceNumber !== "LATEST") return { type: "TRIM_HORIZON" };
  if (held.lease.latestSinceMs === undefined) {
    // The host's clock may be ahead of the service's, which would skip records: it is asked only where asking is denied.
    const { signal } = held;
    const at = { operation: "describe stream", streamName: stream.streamName };
    const answer = await kinesisAnswer({ ...ports, signal }, at, () =>
      ports.kinesis.describeStreamSummary(stream.ref, { signal }),
    );
    await held.rememberLatest((answer.ok ? answer.serviceTime : undefined) ?? ports.system.wallNow());
  }
  return { type: "AT_TIMESTAMP", timestamp: new Date(held.lease.latestSinceMs ?? ports.system.wallNow()) };
}
