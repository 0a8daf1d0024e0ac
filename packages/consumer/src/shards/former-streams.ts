/**
 * Pure. Leases of streams that the application does not read any more.
 *
 * Source: kcl.md 3.7 (FormerStreamsLeasesDeletionStrategy). A stream that was deleted and made anew is another one: its
 * creation time is part of its leases' keys.
 */
import type { Lease } from "../leases/lease.ts";
import type { ConsumedStream } from "./consumed-stream.ts";

/** Since when a leader has seen leases of each stream that is not read. */
export type FormerStreams = ReadonlyMap<string, number>;

/** The leases of streams that are read, and the others by their stream. */
export function splitByStream(
  leases: readonly Lease[],
  streams: readonly ConsumedStream[],
): { readonly current: readonly Lease[]; readonly former: ReadonlyMap<string, readonly Lease[]> } {
  const names = new Set(streams.map((stream) => stream.streamIdentifier));
  const current: Lease[] = [];
  const former = new Map<string, Lease[]>();
  for (const lease of leases) {
    const { streamIdentifier = "" } = lease;
    const known = former.get(streamIdentifier);
    if (names.has(lease.streamIdentifier)) current.push(lease);
    else if (known === undefined) former.set(streamIdentifier, [lease]);
    else known.push(lease);
  }
  return { current, former };
}

/** The former streams after a scan; one that is read again is forgotten. */
export function observeFormer(before: FormerStreams, found: Iterable<string>, now: number): FormerStreams {
  return new Map([...found].map((identifier) => [identifier, before.get(identifier) ?? now]));
}

/**
 * True when a table holds leases of KCL's other mode: one stream under shard ids, or several under their names. Workers of
 * one mode do not see the leases of the other, and would read the same shards a second time.
 */
export function hasOtherMode(leases: readonly Lease[], isMultiStream: boolean): boolean {
  return leases.some((lease) => (lease.streamIdentifier !== undefined) !== isMultiStream);
}
