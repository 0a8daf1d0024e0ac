/** Driver. Cases of streams' lives and settings. */
import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListStreamsCommand,
  ListTagsForStreamCommand,
} from "@aws-sdk/client-kinesis";
import { expect } from "vitest";
import { documented, recorded } from "../contract-case.ts";
import type { ContractCase } from "../contract-case.ts";
import { errorName, retryWhenLimited } from "../service-under-test.ts";

export const streamCases: readonly ContractCase[] = [
  {
    name: "a created stream becomes active with its shards open",
    rule: documented("CreateStream", "After creation the status is ACTIVE and the shards can be used."),
    async run(service) {
      const { streamName } = await service.createStream(3);
      const { StreamDescriptionSummary: summary } = await service.client.send(
        new DescribeStreamSummaryCommand({ StreamName: streamName }),
      );
      expect(summary).toMatchObject({ StreamStatus: "ACTIVE", OpenShardCount: 3, RetentionPeriodHours: 24 });
      expect(summary?.StreamCreationTimestamp).toBeInstanceOf(Date);
    },
  },
  {
    name: "a stream's ARN names region, account and stream",
    rule: documented("DescribeStreamSummary", "StreamARN, pattern arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+."),
    async run(service) {
      const { streamName, streamArn } = await service.createStream(1);
      expect(streamArn).toMatch(new RegExp(String.raw`^arn:aws:kinesis:us-east-1:\d{12}:stream/${streamName}$`));
    },
  },
  {
    name: "a name can be taken once",
    rule: documented("CreateStream", "ResourceInUseException where the stream exists."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const again = retryWhenLimited(() =>
        service.client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: 1 })),
      );
      expect(await errorName(again)).toBe("ResourceInUseException");
    },
  },
  {
    name: "an unknown stream is a ResourceNotFoundException",
    rule: documented("DescribeStream", "ResourceNotFoundException where there is no such stream."),
    async run(service) {
      const unknown = service.client.send(new DescribeStreamCommand({ StreamName: "nobody-made-this" }));
      expect(await errorName(unknown)).toBe("ResourceNotFoundException");
    },
  },
  {
    name: "a name with a space is refused",
    rule: recorded("StreamName matches [a-zA-Z0-9_.-]+, else a ValidationException"),
    async run(service) {
      const bad = retryWhenLimited(() =>
        service.client.send(new CreateStreamCommand({ StreamName: "not a name", ShardCount: 1 })),
      );
      expect(await errorName(bad)).toBe("ValidationException");
    },
  },
  {
    name: "two shards meet in the middle of the hash keys",
    rule: "CreateStream parts 0 to 2^128 - 1 evenly: the first of two shards ends at 2^127 - 1 [as DescribeStream shows in the Kinesis developer guide's resharding pages]",
    async run(service) {
      const { streamName } = await service.createStream(2);
      const ranges = (await service.shards(streamName)).map((shard) => shard.HashKeyRange);
      expect(ranges).toEqual([
        { StartingHashKey: "0", EndingHashKey: String(2n ** 127n - 1n) },
        { StartingHashKey: String(2n ** 127n), EndingHashKey: String(2n ** 128n - 1n) },
      ]);
    },
  },
  {
    name: "shards cover all hash keys without gap or overlap",
    rule: documented("CreateStream", "Every hash key from 0 to 2^128 - 1 belongs to one open shard."),
    async run(service) {
      const { streamName } = await service.createStream(7);
      let next = 0n;
      for (const { HashKeyRange: range } of await service.shards(streamName)) {
        expect(BigInt(range?.StartingHashKey ?? -1)).toBe(next);
        next = BigInt(range?.EndingHashKey ?? -1) + 1n;
      }
      expect(next).toBe(2n ** 128n);
    },
  },
  {
    name: "an on-demand stream begins with four shards",
    rule: documented(
      "CreateStream",
      "StreamModeDetails ON_DEMAND; new on-demand streams take 4 MB/s, which is 4 shards.",
    ),
    async run(service) {
      const streamName = service.newName();
      await retryWhenLimited(() =>
        service.client.send(
          new CreateStreamCommand({ StreamName: streamName, StreamModeDetails: { StreamMode: "ON_DEMAND" } }),
        ),
      );
      await service.untilActive(streamName);
      expect(await service.shards(streamName)).toHaveLength(4);
    },
  },
  {
    name: "tags given at creation are listed",
    rule: documented("CreateStream", "Tags: up to 50 key-value pairs."),
    async run(service) {
      const streamName = service.newName();
      await retryWhenLimited(() =>
        service.client.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: 1, Tags: { team: "a" } })),
      );
      await service.untilActive(streamName);
      const { Tags } = await service.client.send(new ListTagsForStreamCommand({ StreamName: streamName }));
      expect(Tags).toEqual([{ Key: "team", Value: "a" }]);
    },
  },
  {
    name: "tags added later are listed in order",
    rule: documented("AddTagsToStream", "Adds or updates tags; ListTagsForStream lists them."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      await retryWhenLimited(() =>
        service.client.send(new AddTagsToStreamCommand({ StreamName: streamName, Tags: { b: "2", a: "1" } })),
      );
      const { Tags } = await service.client.send(new ListTagsForStreamCommand({ StreamName: streamName }));
      expect(Tags).toEqual([
        { Key: "a", Value: "1" },
        { Key: "b", Value: "2" },
      ]);
    },
  },
  {
    name: "a stream is found by its ARN alone",
    rule: documented("DescribeStreamSummary", "StreamARN may be given in place of StreamName."),
    async run(service) {
      const { streamName, streamArn } = await service.createStream(1);
      const { StreamDescriptionSummary: summary } = await service.client.send(
        new DescribeStreamSummaryCommand({ StreamARN: streamArn }),
      );
      expect(summary?.StreamName).toBe(streamName);
    },
  },
  {
    name: "the account's limits can be asked for",
    rule: documented("DescribeLimits", "Answers ShardLimit and OpenShardCount."),
    async run(service) {
      await service.createStream(1);
      const limits = await retryWhenLimited(() => service.client.send(new DescribeLimitsCommand({})));
      expect(limits.ShardLimit).toBeGreaterThan(0);
      expect(limits.OpenShardCount).toBeGreaterThan(0);
    },
  },
  {
    name: "retention goes up and down within 24 and 8,760 hours",
    rule: documented("IncreaseStreamRetentionPeriod", "24 to 8760 hours; an increase must increase."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      const stream = { StreamName: streamName };
      await service.client.send(new IncreaseStreamRetentionPeriodCommand({ ...stream, RetentionPeriodHours: 8760 }));
      await service.untilActive(streamName);
      await service.client.send(new DecreaseStreamRetentionPeriodCommand({ ...stream, RetentionPeriodHours: 48 }));
      await service.untilActive(streamName);
      const { StreamDescriptionSummary: summary } = await service.client.send(new DescribeStreamSummaryCommand(stream));
      expect(summary?.RetentionPeriodHours).toBe(48);
      const beyond = service.client.send(
        new IncreaseStreamRetentionPeriodCommand({ ...stream, RetentionPeriodHours: 8761 }),
      );
      expect(["InvalidArgumentException", "ValidationException"]).toContain(await errorName(beyond));
    },
  },
  {
    name: "streams are listed page by page",
    rule: documented("ListStreams", "Limit bounds a page; HasMoreStreams says whether more follow."),
    async run(service) {
      await service.createStream(1);
      await service.createStream(1);
      const names: string[] = [];
      for (let more = true; more;) {
        const page = await retryWhenLimited(() =>
          service.client.send(new ListStreamsCommand({ Limit: 100, ExclusiveStartStreamName: names.at(-1) })),
        );
        names.push(...(page.StreamNames ?? []));
        more = page.HasMoreStreams ?? false;
      }
      const first = await retryWhenLimited(() => service.client.send(new ListStreamsCommand({ Limit: 1 })));
      expect(first).toMatchObject({ StreamNames: [names[0]], HasMoreStreams: true });
      const second = await retryWhenLimited(() =>
        service.client.send(new ListStreamsCommand({ Limit: 1, ExclusiveStartStreamName: names[0] })),
      );
      expect(second.StreamNames).toEqual([names[1]]);
    },
  },
  {
    name: "a deleted stream is gone",
    rule: documented("DeleteStream", "After deletion the stream no longer exists."),
    async run(service) {
      const { streamName } = await service.createStream(1);
      await retryWhenLimited(() => service.client.send(new DeleteStreamCommand({ StreamName: streamName })));
      const gone = (async () => {
        for (;;) await service.lookAt(streamName);
      })();
      expect(await errorName(gone)).toBe("ResourceNotFoundException");
    },
  },
];
