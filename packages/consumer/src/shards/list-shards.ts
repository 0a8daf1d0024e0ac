/**
 * Driver. Every shard of a stream, over all pages.
 *
 * Source: kcl.md 3.2: on LimitExceeded 1.5 s between tries. A page token lives 300 s, so a listing that fails in the
 * middle begins anew.
 */
import type {
  Answer,
  KinesisError,
  KinesisPort,
  ListShardsRequest,
  ListShardsResponse,
  Shard,
  ShardFilter,
  StreamRef,
} from "@millrace/core/kinesis";
import { sleep, type System } from "@millrace/core/runtime";
import { answerInTime } from "./answer-in-time.ts";

const throttlePauseMs = 1_500;
const maxTries = 5;

export type ShardListing =
  | { readonly ok: true; readonly shards: readonly Shard[]; readonly serviceTime: number | undefined }
  | { readonly ok: false; readonly error: KinesisError };

/** The shards that `filter` lets through, or the failure of the last try. */
export async function listShards(
  port: { readonly kinesis: KinesisPort; readonly system: System },
  stream: StreamRef,
  options: { readonly filter?: ShardFilter | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ShardListing> {
  for (let attempt = 1; ; attempt++) {
    const listing = await listOnce(port, stream, options);
    if (listing.ok || listing.error.kind === "permanent" || listing.error.kind === "aborted") return listing;
    if (attempt >= maxTries) return listing;
    const pauseMs = throttlePauseMs * (0.5 + port.system.random());
    const isAborted = await sleep(port.system, pauseMs, { signal: options.signal }).then(
      () => false,
      () => true,
    );
    if (isAborted) return listing;
  }
}

async function listOnce(
  { kinesis, system }: { readonly kinesis: KinesisPort; readonly system: System },
  stream: StreamRef,
  options: { readonly filter?: ShardFilter | undefined; readonly signal?: AbortSignal | undefined },
): Promise<ShardListing> {
  const shards: Shard[] = [];
  const list = (request: ListShardsRequest): Promise<Answer<ListShardsResponse>> =>
    answerInTime(system, options.signal, (signal) => kinesis.listShards(request, { signal }));
  let answer = await list({ ...stream, filter: options.filter });
  for (;;) {
    if (!answer.ok) return answer;
    shards.push(...answer.value.shards);
    const { nextToken } = answer.value;
    if (nextToken === undefined) return { ok: true, shards, serviceTime: answer.serviceTime };
    answer = await list({ nextToken });
  }
}
