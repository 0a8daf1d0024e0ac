/**
 * Driver. What a service keeps over a restart, as plain data, and a service made from it again.
 *
 * Times on the steady clock mean nothing to another process: they are saved by the wall clock. A stream that was being
 * created or changed is ACTIVE again without the change; one that was being deleted is gone. Throughput begins anew.
 */
import type { SavedStream } from "./saved-stream.ts";
import type { ServiceState } from "./service-state.ts";
import type { Shard } from "./shard.ts";
import { Stream } from "./stream.ts";

/** Everything but records. */
export interface SavedService {
  readonly accountId: string;
  readonly region: string;
  readonly secret: string;
  /** How many services have had this state; the next one is of the next run. */
  readonly run: number;
  readonly policies: readonly (readonly [string, string])[];
  readonly streams: readonly SavedStream[];
}

/** A shard with the name that its records are saved under. */
export interface NamedShard {
  readonly key: string;
  readonly shard: Shard;
}

/** Streams that outlast this process. */
function lasting(state: ServiceState): readonly Stream[] {
  return [...state.streams.values()].filter((stream) => stream.status !== "DELETING");
}

/** Every shard whose records are to be saved. */
export function shardsOf(state: ServiceState): readonly NamedShard[] {
  return lasting(state).flatMap((stream) =>
    stream.shards.map((shard) => ({ key: `${stream.streamName}/${stream.createdWallMs}/${shard.shardId}`, shard })),
  );
}

export function saveService(state: ServiceState): SavedService {
  const { nowMs, wallMs } = state.moment();
  return {
    accountId: state.accountId,
    region: state.region,
    secret: state.seal.secret,
    run: state.seal.run,
    policies: [...state.policies],
    streams: lasting(state).map((stream) => stream.save(wallMs - nowMs)),
  };
}

/**
 * Puts streams and policies into a service that has none.
 * @throws for what no service has saved.
 */
export function restoreService(state: ServiceState, saved: SavedService): void {
  const moment = state.moment();
  for (const [arn, policy] of saved.policies) state.policies.set(arn, policy);
  for (const each of saved.streams) {
    const fields = {
      streamName: each.name,
      streamArn: state.arnOf(each.name),
      accountId: state.accountId,
      shardCount: 0,
      mode: each.mode,
      maxRecordSizeKiB: each.maxRecordSizeKiB,
      strategy: each.strategy,
      moment: { nowMs: moment.nowMs, wallMs: each.createdWallMs },
      limits: state.limits,
    };
    const stream = new Stream(fields);
    stream.restore(each, moment);
    state.streams.set(each.name, stream);
    state.updateRent(stream);
  }
}
