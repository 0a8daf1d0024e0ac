/**
 * Driver. For tests: a simulator whose time stands still until the test moves it, and calls by wire name.
 */
import { ServiceError } from "../service-error.ts";
import type { SimulatorOptions } from "../options.ts";
import type { ServiceOutput, SubscriptionFrame } from "../service-port.ts";
import { KinesisSimulator } from "../simulator.ts";
import { Timeline } from "../virtual/timeline.ts";

export class StillSimulator extends KinesisSimulator {
  constructor(options: SimulatorOptions = {}) {
    super({ system: new Timeline().host("kinesis").system, ...options });
  }

  /** Calls an action. */
  call(action: string, input: Record<string, unknown> = {}): Promise<ServiceOutput> {
    return this.service.execute(action, input);
  }

  /** Calls an action that must fail, and gives `code: message`. */
  async refusal(action: string, input: Record<string, unknown> = {}): Promise<string> {
    try {
      await this.call(action, input);
    } catch (error) {
      if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "no refusal";
  }

  /** Calls an action until it is refused, `most` times at most; gives how often it was not. */
  async callsUntilRefused(action: string, input: Record<string, unknown> = {}, most = 10_000): Promise<number> {
    for (let calls = 0; calls < most; calls++) {
      if ((await this.refusal(action, input)) !== "no refusal") return calls;
    }
    return most;
  }

  /** Puts one record of `bytes` bytes, its key's one byte included, and gives its sequence number. */
  async put(streamName: string, bytes = 10, key = "k"): Promise<string> {
    const output = await this.call("PutRecord", {
      StreamName: streamName,
      PartitionKey: key,
      Data: new Uint8Array(bytes - key.length),
    });
    return output["SequenceNumber"] as string;
  }

  /** A shard iterator. */
  async iterator(
    streamName: string,
    shardId = "shardId-000000000000",
    type = "TRIM_HORIZON",
    more: Record<string, unknown> = {},
  ): Promise<string> {
    const input = { StreamName: streamName, ShardId: shardId, ShardIteratorType: type, ...more };
    return (await this.call("GetShardIterator", input))["ShardIterator"] as string;
  }

  /** Registers a consumer and waits until it is ACTIVE; gives its ARN. */
  async consumer(streamArn: string, consumerName = "reader"): Promise<string> {
    const output = await this.call("RegisterStreamConsumer", { StreamARN: streamArn, ConsumerName: consumerName });
    this.clock.advance(1000);
    return (output["Consumer"] as { ConsumerARN: string }).ConsumerARN;
  }

  /** Subscribes, and gives the event stream. */
  async subscribe(
    consumerArn: string,
    position: Record<string, unknown> = { Type: "TRIM_HORIZON" },
    shardId = "shardId-000000000000",
  ): Promise<AsyncIterator<SubscriptionFrame, undefined>> {
    const output = await this.call("SubscribeToShard", {
      ConsumerARN: consumerArn,
      ShardId: shardId,
      StartingPosition: position,
    });
    return (output["EventStream"] as AsyncIterable<SubscriptionFrame>)[Symbol.asyncIterator]() as AsyncIterator<
      SubscriptionFrame,
      undefined
    >;
  }
}

/** The records of an answer or an event. */
export function recordsOf(output: ServiceOutput | undefined): readonly ServiceOutput[] {
  return (output?.["Records"] ?? []) as ServiceOutput[];
}
