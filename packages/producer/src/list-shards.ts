/**
 * Driver. Asks the service for all open shards of a stream, page by page.
 */
import type { Answer, KinesisPort, ListShardsResponse, Shard, StreamRef } from "@millrace/core/kinesis";
import { localError } from "./deadline.ts";

/** ListShards returns at most this many in one page. Source: ListShards, MaxResults; read 2026-11-22. */
const maxResults = 1_000;
/** No stream has near as many pages: the largest quota is 20,000 shards. Ends a service that repeats its token. */
const maxPages = 1_000;

/** Makes one call with a deadline of its own. */
type Call = (call: (signal: AbortSignal) => Promise<Answer<ListShardsResponse>>) => Promise<Answer<ListShardsResponse>>;

export async function listAllShards(
  port: KinesisPort,
  stream: StreamRef,
  call: Call,
): Promise<Answer<readonly Shard[]>> {
  const shards: Shard[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const request =
      nextToken === undefined
        ? { ...streamRef(stream), filter: { type: "AT_LATEST" } as const, maxResults }
        : { nextToken, maxResults };
    const answer = await call((signal) => port.listShards(request, { signal }));
    if (!answer.ok) return answer;
    shards.push(...answer.value.shards);
    ({ nextToken } = answer.value);
    if (nextToken === undefined) return { ok: true, value: shards, serviceTime: answer.serviceTime };
  }
  const message = `ListShards did not end after ${maxPages} pages`;
  return { ok: false, error: localError("EndlessListing", message) };
}

/** What a request names a stream by. */
export function streamRef(stream: StreamRef): StreamRef {
  return stream.streamArn === undefined ? { streamName: stream.streamName } : { streamArn: stream.streamArn };
}
