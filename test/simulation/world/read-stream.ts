/**
 * Driver. Reads a whole stream as a simple reader would: every shard from its beginning to its tip or end.
 */
import { deaggregate, type UserRecordView } from "@millrace/aggregation";
import type { Answer } from "@millrace/core/kinesis";
import { sleep } from "@millrace/core/runtime";
import type { World } from "./world.ts";

/** Every user record of the stream, shard by shard, in order. */
export async function readStream(world: World, streamName: string): Promise<UserRecordView[]> {
  const host = world.timeline.host("reader");
  const kinesis = world.kinesisFor(host);
  const read: UserRecordView[] = [];
  for (const shardId of await listShardIds()) {
    const start = await insist(() =>
      kinesis.getShardIterator({ streamName, shardId, position: { type: "TRIM_HORIZON" } }),
    );
    let iterator: string | undefined = start.shardIterator;
    while (iterator !== undefined) {
      const shardIterator: string = iterator;
      const answer = await insist(() => kinesis.getRecords({ shardIterator }));
      for (const record of answer.records) read.push(...deaggregate(record));
      iterator = answer.millisBehindLatest === 0 ? undefined : answer.nextShardIterator;
    }
  }
  return read;

  async function listShardIds(): Promise<string[]> {
    const shardIds: string[] = [];
    let nextToken: string | undefined;
    do {
      const request = nextToken === undefined ? { streamName } : { nextToken };
      const page = await insist(() => kinesis.listShards(request));
      shardIds.push(...page.shards.map((shard) => shard.shardId));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return shardIds;
  }

  async function insist<T>(call: () => Promise<Answer<T>>): Promise<T> {
    for (;;) {
      const answer = await call();
      if (answer.ok) return answer.value;
      if (answer.error.kind === "permanent") throw answer.error;
      await sleep(host.system, 1000);
    }
  }
}
