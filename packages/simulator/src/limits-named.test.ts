// Every limit by its own name: held at the service's value while every other one is off, and lifted when it is off too.
import { describe, expect, test } from "vitest";
import { serviceLimits, type LimitName } from "./limits.ts";
import type { SimulatorOptions } from "./options.ts";
import { recordsOf, StillSimulator } from "./testing-support/still-simulator.ts";

const mebibyte = 1_048_576;
const streamName = "clicks";
const shardId = "shardId-000000000000";
const hourMs = 3_600_000;

const names = Object.keys(serviceLimits) as LimitName[];
const named = new Set<string>();

/** Makes a simulator under the limits in question. */
type Make = (options?: SimulatorOptions) => StillSimulator;

interface Case {
  /** What `reach` finds while the limit is on, and once it is off. */
  readonly held: unknown;
  readonly lifted: unknown;
  /** Limits that this one only shows beside. */
  readonly beside?: readonly LimitName[];
  readonly reach: (make: Make) => Promise<unknown>;
}

/** Makes simulators whose limits are off but for these. */
function under(on: readonly string[]): Make {
  const limits = Object.fromEntries(names.map((each) => [each, on.includes(each)]));
  return (options = {}) => new StillSimulator({ transitionMs: 0, limits, ...options });
}

function limit(name: LimitName, what: string, { held, lifted, beside = [], reach }: Case): void {
  named.add(name);
  test(`${name}: ${what}`, async () => {
    expect(await reach(under([name, ...beside]))).toEqual(held);
    expect(await reach(under(beside))).toEqual(lifted);
  });
}

/** A limit on calls of one second, held at the service's value. */
function rate(name: LimitName, what: string, reach: (simulator: StillSimulator, most: number) => Promise<number>) {
  const held = serviceLimits[name];
  const most = held + 3;
  limit(name, what, {
    held,
    lifted: most,
    reach: (make) => {
      const simulator = make();
      simulator.createStream({ streamName, shardCount: 2 });
      return reach(simulator, most);
    },
  });
}

/** Those of `values` that are not refused. */
async function accepted(values: readonly number[], attempt: (value: number) => Promise<string>): Promise<number[]> {
  const taken: number[] = [];
  for (const value of values) if ((await attempt(value)) === "no refusal") taken.push(value);
  return taken;
}

/** How often `attempt` is not refused, `most` times at most. */
async function untilRefused(most: number, attempt: (index: number) => Promise<string>): Promise<number> {
  for (let index = 0; index < most; index++) if ((await attempt(index)) !== "no refusal") return index;
  return most;
}

function record(bytes: number) {
  return { StreamName: streamName, PartitionKey: "k", Data: new Uint8Array(bytes - 1) };
}

function entry(bytes: number) {
  return { PartitionKey: "k", Data: new Uint8Array(bytes - 1) };
}

const uniform = { StreamName: streamName, ScalingType: "UNIFORM_SCALING" };

async function registerAll(simulator: StillSimulator, streamArn: string, most: number): Promise<number> {
  const register = (index: number) =>
    simulator.refusal("RegisterStreamConsumer", { StreamARN: streamArn, ConsumerName: `reader-${index}` });
  return untilRefused(most, register);
}

async function commit(simulator: StillSimulator): Promise<void> {
  const Status = "ENABLED";
  await simulator.call("UpdateAccountSettings", { MinimumThroughputBillingCommitment: { Status } });
}

describe("limits of writes", () => {
  limit("putRecordsRecords", "500 records in a call", {
    held: [500],
    lifted: [500, 501],
    reach: (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      return accepted([500, 501], (count) =>
        simulator.refusal("PutRecords", {
          StreamName: streamName,
          Records: Array.from({ length: count }, () => entry(10)),
        }),
      );
    },
  });

  limit("putRecordsBytes", "10 MiB in a call, keys included", {
    held: [10 * mebibyte],
    lifted: [10 * mebibyte, 10 * mebibyte + 1],
    reach: (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      return accepted([10 * mebibyte, 10 * mebibyte + 1], (bytes) =>
        simulator.refusal("PutRecords", {
          StreamName: streamName,
          Records: [entry(5 * mebibyte), entry(bytes - 5 * mebibyte)],
        }),
      );
    },
  });

  limit("recordSizeKiB", "a stream's records can be up to 10,240 KiB, and are no larger", {
    held: [10_240, 10 * mebibyte],
    lifted: [10_240, 10_241, 10 * mebibyte, 10 * mebibyte + 1],
    reach: async (make) => {
      const simulator = make();
      const sizes = await accepted([10_240, 10_241], (MaxRecordSizeInKiB) =>
        simulator.refusal("CreateStream", { StreamName: `s${MaxRecordSizeInKiB}`, ShardCount: 1, MaxRecordSizeInKiB }),
      );
      simulator.createStream({ streamName, maxRecordSizeKiB: 10_240 });
      const put = (bytes: number) => simulator.refusal("PutRecord", record(bytes));
      return [...sizes, ...(await accepted([10 * mebibyte, 10 * mebibyte + 1], put))];
    },
  });

  rate("shardWriteRecordsPerSecond", "1,000 records of one shard", (simulator, most) =>
    simulator.callsUntilRefused("PutRecord", record(10), most),
  );

  limit("shardWriteBytesPerSecond", "1 MiB of one shard, keys included", {
    held: 4,
    lifted: 9,
    reach: (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      return simulator.callsUntilRefused("PutRecord", record(mebibyte / 4), 9);
    },
  });

  limit("shardWriteBurstBytes", "10 MiB at once where records may be larger than a second's worth", {
    held: 10,
    lifted: 20,
    beside: ["shardWriteBytesPerSecond"],
    reach: (make) => {
      const simulator = make();
      simulator.createStream({ streamName, maxRecordSizeKiB: 20_480 });
      return simulator.callsUntilRefused("PutRecord", record(mebibyte), 30);
    },
  });
});

describe("limits of reads", () => {
  rate("shardReadCallsPerSecond", "5 GetRecords of one shard", async (simulator, most) =>
    simulator.callsUntilRefused("GetRecords", { ShardIterator: await simulator.iterator(streamName) }, most),
  );

  limit("shardReadBytesPerSecond", "2 MiB of one shard", {
    held: 2,
    lifted: 4,
    reach: async (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      await simulator.put(streamName, mebibyte);
      const ShardIterator = await simulator.iterator(streamName);
      return simulator.callsUntilRefused("GetRecords", { ShardIterator }, 4);
    },
  });

  limit("getRecordsRecords", "10,000 records of one answer, and no Limit above it", {
    held: 10_000,
    lifted: 10_001,
    reach: async (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      for (let count = 0; count < 10_001; count++) await simulator.put(streamName, 2);
      const ShardIterator = await simulator.iterator(streamName);
      return recordsOf(await simulator.call("GetRecords", { ShardIterator })).length;
    },
  });

  limit("getRecordsBytes", "10 MiB of one answer", {
    held: 10,
    lifted: 11,
    reach: async (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      for (let count = 0; count < 11; count++) await simulator.put(streamName, mebibyte);
      const ShardIterator = await simulator.iterator(streamName);
      return recordsOf(await simulator.call("GetRecords", { ShardIterator })).length;
    },
  });

  limit("iteratorAgeMs", "a shard iterator expires after 5 minutes", {
    held: [300_000],
    lifted: [300_000, 300_001],
    reach: (make) =>
      accepted([300_000, 300_001], async (ageMs) => {
        const simulator = make();
        simulator.createStream({ streamName });
        const ShardIterator = await simulator.iterator(streamName);
        simulator.clock.advance(ageMs);
        return simulator.refusal("GetRecords", { ShardIterator });
      }),
  });

  rate("shardIteratorsPerSecond", "5 GetShardIterator of one shard", (simulator, most) => {
    const input = { StreamName: streamName, ShardId: shardId, ShardIteratorType: "LATEST" };
    return simulator.callsUntilRefused("GetShardIterator", input, most);
  });
});

describe("limits of fan-out", () => {
  limit("consumersPerStream", "20 of one stream", {
    held: 20,
    lifted: 60,
    reach: (make) => {
      const simulator = make();
      return registerAll(simulator, simulator.createStream({ streamName }).streamArn, 60);
    },
  });

  limit("consumersPerStreamAdvantage", "50 of an on-demand stream under the account's commitment", {
    held: 50,
    lifted: 60,
    reach: async (make) => {
      const simulator = make();
      await commit(simulator);
      const { streamArn } = simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
      return registerAll(simulator, streamArn, 60);
    },
  });

  limit("consumersCreating", "5 of one stream in CREATING", {
    held: 5,
    lifted: 8,
    reach: (make) => {
      const simulator = make({ transitionMs: 250 });
      return registerAll(simulator, simulator.createStream({ streamName }).streamArn, 8);
    },
  });

  limit("registerConsumerPerSecond", "5 registrations and 5 deregistrations", {
    held: [5, 5],
    lifted: [8, 8],
    reach: async (make) => {
      const simulator = make();
      const { streamArn } = simulator.createStream({ streamName });
      const registered = await registerAll(simulator, streamArn, 8);
      const deregister = () =>
        simulator.refusal("DeregisterStreamConsumer", { StreamARN: streamArn, ConsumerName: "none" });
      const deregistered = await untilRefused(8, async () =>
        (await deregister()).includes("Rate exceeded") ? "refused" : "no refusal",
      );
      return [registered, deregistered];
    },
  });

  limit("subscriptionBytesPerSecond", "2 MiB of one subscription", {
    held: 2,
    lifted: 6,
    reach: async (make) => {
      const simulator = make();
      const { streamArn } = simulator.createStream({ streamName });
      const events = await simulator.subscribe(await simulator.consumer(streamArn));
      for (let count = 0; count < 6; count++) await simulator.put(streamName, mebibyte);
      let records = 0;
      const readAll = async () => {
        for (;;) {
          const { value, done } = await events.next();
          if (done === true) return;
          records += recordsOf(value.SubscribeToShardEvent).length;
        }
      };
      const reading = readAll();
      // What comes without time passing has come when the event loop has gone round.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      const cameAtOnce = records;
      await simulator.close();
      await reading;
      return cameAtOnce;
    },
  });

  limit("subscribeCallsPerSecond", "1 for a consumer and shard", {
    held: 1,
    lifted: 3,
    reach: async (make) => {
      const simulator = make();
      const { streamArn } = simulator.createStream({ streamName });
      const ConsumerARN = await simulator.consumer(streamArn);
      const input = { ConsumerARN, ShardId: shardId, StartingPosition: { Type: "LATEST" } };
      return simulator.callsUntilRefused("SubscribeToShard", input, 3);
    },
  });

  limit("subscriptionTakeoverMs", "a subscription is taken over after 5 seconds, and not before", {
    held: [5000],
    lifted: [4999, 5000],
    reach: (make) =>
      accepted([4999, 5000], async (ageMs) => {
        const simulator = make();
        const { streamArn } = simulator.createStream({ streamName });
        const ConsumerARN = await simulator.consumer(streamArn);
        await simulator.subscribe(ConsumerARN);
        simulator.clock.advance(ageMs);
        const input = { ConsumerARN, ShardId: shardId, StartingPosition: { Type: "LATEST" } };
        return simulator.refusal("SubscribeToShard", input);
      }),
  });

  limit("subscriptionMs", "a subscription ends after 5 minutes", {
    held: [299_999],
    lifted: [299_999, 300_000],
    reach: (make) =>
      accepted([299_999, 300_000], async (ageMs) => {
        const simulator = make();
        const { streamArn } = simulator.createStream({ streamName });
        const events = await simulator.subscribe(await simulator.consumer(streamArn));
        await simulator.put(streamName);
        await events.next();
        const next = events.next();
        simulator.clock.advance(ageMs);
        return (await next).done === true ? "ended" : "no refusal";
      }),
  });
});

describe("limits of lists and descriptions", () => {
  for (const [name, action, input] of [
    ["listShardsPerSecond", "ListShards", { StreamName: streamName }],
    ["describeStreamPerSecond", "DescribeStream", { StreamName: streamName }],
    ["describeStreamSummaryPerSecond", "DescribeStreamSummary", { StreamName: streamName }],
    ["describeLimitsPerSecond", "DescribeLimits", {}],
    ["controlCallsPerSecond", "ListStreams", {}],
  ] as const) {
    rate(name, `${serviceLimits[name]} ${action}`, (simulator, most) =>
      simulator.callsUntilRefused(action, input, most),
    );
  }

  rate("describeStreamConsumerPerSecond", "20 DescribeStreamConsumer", async (simulator, most) => {
    const { StreamDescriptionSummary: summary } = await simulator.call("DescribeStreamSummary", {
      StreamName: streamName,
    });
    const ConsumerARN = await simulator.consumer((summary as { StreamARN: string }).StreamARN);
    return simulator.callsUntilRefused("DescribeStreamConsumer", { ConsumerARN }, most);
  });

  limit("listShardsPage", "1,000 shards of one page", {
    held: 1000,
    lifted: 1001,
    reach: async (make) => {
      const simulator = make();
      simulator.createStream({ streamName, shardCount: 1001 });
      const { Shards } = await simulator.call("ListShards", { StreamName: streamName, MaxResults: 5000 });
      return (Shards as unknown[]).length;
    },
  });

  limit("nextTokenAgeMs", "a page token expires after 300 seconds", {
    held: [300_000],
    lifted: [300_000, 300_001],
    reach: (make) =>
      accepted([300_000, 300_001], async (ageMs) => {
        const simulator = make();
        simulator.createStream({ streamName, shardCount: 2 });
        const { NextToken } = await simulator.call("ListShards", { StreamName: streamName, MaxResults: 1 });
        simulator.clock.advance(ageMs);
        return simulator.refusal("ListShards", { NextToken });
      }),
  });
});

describe("limits of streams", () => {
  rate("updateShardCountPerSecond", "10 UpdateShardCount", (simulator, most) =>
    untilRefused(most, (index) =>
      simulator.refusal("UpdateShardCount", { ...uniform, TargetShardCount: 3 - (index % 2) }),
    ),
  );

  rate("updateShardCountPerDay", "10 UpdateShardCount of one stream", (simulator, most) =>
    untilRefused(most, (index) => {
      simulator.clock.advance(2 * hourMs);
      return simulator.refusal("UpdateShardCount", { ...uniform, TargetShardCount: 3 - (index % 2) });
    }),
  );

  limit("updateShardCountFactor", "at most twice the shards, at least half of them", {
    held: [2, 8],
    lifted: [1, 2, 8, 9],
    reach: (make) =>
      accepted([1, 2, 8, 9], (TargetShardCount) => {
        const simulator = make();
        simulator.createStream({ streamName, shardCount: 4 });
        return simulator.refusal("UpdateShardCount", { ...uniform, TargetShardCount });
      }),
  });

  limit("updateShardCountShards", "10,000 shards", {
    held: [10_000],
    lifted: [10_000, 10_001],
    reach: (make) =>
      accepted([10_000, 10_001], (TargetShardCount) => {
        const simulator = make({ transitionMs: 1000 });
        simulator.createStream({ streamName, shardCount: 5001 });
        return simulator.refusal("UpdateShardCount", { ...uniform, TargetShardCount });
      }),
  });

  limit("streamsCreating", "5 in CREATING", {
    held: 5,
    lifted: 8,
    reach: (make) => {
      const simulator = make({ transitionMs: 250 });
      return untilRefused(8, (index) => simulator.refusal("CreateStream", { StreamName: `s${index}`, ShardCount: 1 }));
    },
  });

  limit("openShards", "20,000 of all provisioned streams", {
    held: [20_000],
    lifted: [20_000, 20_001],
    reach: (make) =>
      accepted([20_000, 20_001], (ShardCount) =>
        make().refusal("CreateStream", { StreamName: streamName, ShardCount }),
      ),
  });

  limit("onDemandStreams", "50", {
    held: 50,
    lifted: 55,
    reach: (make) => {
      const simulator = make();
      return untilRefused(55, (index) => {
        const StreamModeDetails = { StreamMode: "ON_DEMAND" };
        return simulator.refusal("CreateStream", { StreamName: `s${index}`, StreamModeDetails });
      });
    },
  });

  limit("modeChangesPerDay", "2 of one stream", {
    held: 2,
    lifted: 4,
    reach: (make) => {
      const simulator = make();
      const { streamArn: StreamARN } = simulator.createStream({ streamName });
      return untilRefused(4, (index) => {
        const StreamMode = index % 2 === 0 ? "ON_DEMAND" : "PROVISIONED";
        return simulator.refusal("UpdateStreamMode", { StreamARN, StreamModeDetails: { StreamMode } });
      });
    },
  });

  limit("warmThroughputMiBps", "10,240 MiB a second", {
    held: [10_240],
    lifted: [10_240, 10_241],
    reach: async (make) => {
      const simulator = make();
      await commit(simulator);
      simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
      return accepted([10_240, 10_241], (WarmThroughputMiBps) =>
        simulator.refusal("UpdateStreamWarmThroughput", { StreamName: streamName, WarmThroughputMiBps }),
      );
    },
  });

  limit("warmThroughputPerSecond", "5 UpdateStreamWarmThroughput", {
    held: 5,
    lifted: 8,
    reach: async (make) => {
      const simulator = make();
      await commit(simulator);
      simulator.createStream({ streamName, streamMode: "ON_DEMAND" });
      const input = { StreamName: streamName, WarmThroughputMiBps: 10 };
      return simulator.callsUntilRefused("UpdateStreamWarmThroughput", input, 8);
    },
  });
});

describe("limits of settings", () => {
  limit("retentionHours", "8,760 hours", {
    held: [8760],
    lifted: [8760, 8761],
    reach: (make) =>
      accepted([8760, 8761], (RetentionPeriodHours) => {
        const simulator = make();
        simulator.createStream({ streamName });
        return simulator.refusal("IncreaseStreamRetentionPeriod", { StreamName: streamName, RetentionPeriodHours });
      }),
  });

  limit("retentionTrim", "what is older than the retention goes", {
    held: 0,
    lifted: 1,
    reach: async (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      await simulator.put(streamName);
      simulator.clock.advance(24 * hourMs + 1);
      const ShardIterator = await simulator.iterator(streamName);
      return recordsOf(await simulator.call("GetRecords", { ShardIterator })).length;
    },
  });

  limit("keyChangesPerDay", "25 keys of one stream", {
    held: 25,
    lifted: 28,
    reach: (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      return untilRefused(28, (index) =>
        simulator.refusal("StartStreamEncryption", {
          StreamName: streamName,
          EncryptionType: "KMS",
          KeyId: `key-${index}`,
        }),
      );
    },
  });

  limit("encryptionDelayMs", "5 seconds until every record is encrypted", {
    held: ["NONE", "KMS"],
    lifted: ["KMS", "KMS"],
    reach: async (make) => {
      const simulator = make();
      simulator.createStream({ streamName });
      await simulator.call("StartStreamEncryption", { StreamName: streamName, EncryptionType: "KMS", KeyId: "key" });
      simulator.clock.advance(4999);
      await simulator.put(streamName);
      simulator.clock.advance(1);
      await simulator.put(streamName);
      const ShardIterator = await simulator.iterator(streamName);
      const read = recordsOf(await simulator.call("GetRecords", { ShardIterator }));
      return read.map((each) => each["EncryptionType"]);
    },
  });

  limit("tagsPerResource", "50 of a stream, and 50 of a consumer", {
    held: [50, 50],
    lifted: [53, 53],
    reach: async (make) => {
      const simulator = make();
      const { streamArn } = simulator.createStream({ streamName });
      const reached: number[] = [];
      for (const ResourceARN of [streamArn, await simulator.consumer(streamArn)]) {
        const tag = (index: number) =>
          simulator.refusal("TagResource", { ResourceARN, Tags: { [`key-${index}`]: "" } });
        reached.push(await untilRefused(53, tag));
      }
      return reached;
    },
  });
});

test("every limit has a test named after it, and no test is named after another", () => {
  expect([...named].toSorted()).toEqual(names.toSorted());
});
