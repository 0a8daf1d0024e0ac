/**
 * Pure. Knows where records will land: what is known of the stream, what has to be asked, and what an answer means.
 *
 * The modes:
 * - `unknown`: nothing has been answered yet. Records wait.
 * - `predicting`: there is a shard map.
 * - `unpredicted`: ListShards failed or is not allowed. Records go alone, by their own keys, until a map is there.
 * - `auto`: the service picks shards and ignores keys (AUTO record distribution), so nothing may be aggregated.
 */
import type { Answer, KinesisError, Shard, StreamSummary } from "@millrace/core/kinesis";
import { backoffMs } from "@millrace/core/runtime";
import type { ProducerEvent } from "../events.ts";
import { ShardMap } from "./shard-map.ts";

export type RoutingMode = "unknown" | "predicting" | "unpredicted" | "auto";

/** After a failed ListShards. Source: KPL's `shard_map.h`, 1 s to 30 s. */
const fetchBackoff = { initialMs: 1_000, maxMs: 30_000 };
/** How often an untroubled map is read again while records flow; jitter spreads a fleet. */
const refreshMs = 300_000;
/** A denied ListShards is asked again this often: permissions get repaired while processes run. */
const deniedRetryMs = 300_000;

/** What an answer about the stream changed. */
export interface RoutingChange {
  /** True when records must be routed anew. */
  readonly reroute: boolean;
  /** Set when the stream cannot be written at all. */
  readonly streamError?: KinesisError;
  readonly events: readonly ProducerEvent[];
}

const unchanged: RoutingChange = { reroute: false, events: [] };

export class Router {
  #map: ShardMap | undefined;
  #isAuto: boolean | undefined;
  #isDenied = false;
  #maxRecordBytes: number | undefined;
  #fetching = false;
  #describing = false;
  #wantsFetch = true;
  #wantsDescribe = true;
  #fetchFailures = 0;
  #nextFetchAt = -Infinity;
  #fetchStartedAt = -Infinity;

  get mode(): RoutingMode {
    if (this.#isAuto === undefined) return "unknown";
    if (this.#isAuto) return "auto";
    if (this.#map !== undefined) return "predicting";
    return this.#fetchFailures > 0 || this.#isDenied ? "unpredicted" : "unknown";
  }

  get map(): ShardMap | undefined {
    return this.#isAuto === true ? undefined : this.#map;
  }

  /** The largest record the stream takes, with its key; undefined while it is not known. */
  get maxRecordBytes(): number | undefined {
    return this.#maxRecordBytes;
  }

  /** When a fetch that is wanted may start; Infinity when none is, or one runs. */
  get nextFetchAt(): number {
    return this.#wantsFetch && !this.#fetching ? this.#nextFetchAt : Infinity;
  }

  /** Says what to ask the service now, and assumes that it is asked. */
  ask(now: number): { readonly listShards: boolean; readonly describeStream: boolean } {
    const listShards = !this.#fetching && now >= this.#nextFetchAt;
    const describeStream = !this.#describing && this.#wantsDescribe;
    if (listShards) {
      this.#fetching = true;
      this.#wantsFetch = false;
      this.#fetchStartedAt = now;
    }
    if (describeStream) {
      this.#describing = true;
      this.#wantsDescribe = false;
    }
    return { listShards, describeStream };
  }

  /**
   * Takes in that a record sent at `seenAt` landed where the map did not expect it. A map fetched after that moment
   * has it right already, so that many late answers cause one fetch.
   */
  suspectMap(seenAt: number): void {
    if (this.#map === undefined || this.#fetching || this.#fetchStartedAt > seenAt) return;
    this.#wantsFetch = true;
    this.#nextFetchAt = Math.min(this.#nextFetchAt, seenAt);
  }

  /** Takes in that records keep landing in wrong shards although the map is fresh: has the strategy been switched? */
  suspectStrategy(): void {
    this.#wantsDescribe = true;
  }

  shardsAnswered(answer: Answer<readonly Shard[]>, now: number, random: number): RoutingChange {
    this.#fetching = false;
    if (!answer.ok) return this.#fetchFailed(answer.error, now, random);
    const map = new ShardMap(answer.value, this.#map);
    if (!map.isComplete) {
      // The listing was taken in the middle of a reshard: its ranges do not cover every key once.
      this.#retryFetch(now, random);
      return this.#map === undefined ? { reroute: true, events: [] } : unchanged;
    }
    const changed = this.#map === undefined || !map.hasSameShards(this.#map);
    this.#map = map;
    this.#isDenied = false;
    this.#fetchFailures = 0;
    this.#nextFetchAt = now + refreshMs * (1 + random / 2);
    return {
      reroute: changed,
      events: changed ? [{ type: "shard-map-updated", openShards: map.openShards }] : [],
    };
  }

  streamAnswered(answer: Answer<StreamSummary>): RoutingChange {
    this.#describing = false;
    const before = this.#isAuto;
    if (answer.ok) {
      this.#maxRecordBytes = answer.value.maxRecordSizeKiB * 1024;
      this.#isAuto = answer.value.recordDistributionStrategy === "AUTO";
    } else {
      if (answer.error.code === "ResourceNotFoundException" && before === undefined) {
        this.#wantsDescribe = true;
        return { reroute: false, streamError: answer.error, events: [] };
      }
      // Without an answer keys decide, as they did on every stream until AUTO came; wrong-shard verdicts ask again.
      this.#isAuto ??= false;
    }
    if (this.#isAuto === before) return unchanged;
    const events: ProducerEvent[] = this.#isAuto || before ? [{ type: "record-distribution", auto: this.#isAuto }] : [];
    return { reroute: true, events };
  }

  #fetchFailed(error: KinesisError, now: number, random: number): RoutingChange {
    if (error.kind === "permanent") {
      // An old map that can no longer be refreshed would send ever more records astray.
      this.#map = undefined;
      if (error.code === "ResourceNotFoundException") {
        this.#wantsFetch = true;
        this.#nextFetchAt = now;
        return { reroute: false, streamError: error, events: [] };
      }
      this.#isDenied = true;
      this.#nextFetchAt = now + deniedRetryMs;
      return { reroute: true, events: [{ type: "prediction-off", code: error.code, message: error.message }] };
    }
    const retryInMs = this.#retryFetch(now, random);
    return {
      reroute: this.#map === undefined,
      events: [{ type: "shard-map-failed", code: error.code, message: error.message, retryInMs }],
    };
  }

  #retryFetch(now: number, random: number): number {
    this.#fetchFailures += 1;
    this.#wantsFetch = true;
    const retryInMs = backoffMs(fetchBackoff, this.#fetchFailures, random);
    this.#nextFetchAt = now + retryInMs;
    return retryInMs;
  }
}
