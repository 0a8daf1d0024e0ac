/**
 * Pure. The actions of enhanced fan-out, as an interface.
 *
 * Source of the shapes: type docs of `@aws-sdk/client-kinesis` 3.1143.0.
 */
import type { Answer, CallOptions, ChildShard, ServiceRecord, StartingPosition } from "@millrace/core/kinesis";

/** One event of a subscription. */
export interface SubscriptionEvent {
  readonly records: readonly ServiceRecord[];
  /** Where a later subscription goes on; moves also without records. Undefined at the end of the shard. */
  readonly continuationSequenceNumber: string | undefined;
  readonly millisBehindLatest: number;
  readonly childShards: readonly ChildShard[];
}

/** An open subscription. Iterating rejects with a KinesisError when it breaks. */
export type Subscription = AsyncIterable<SubscriptionEvent>;

/** A registered consumer of a stream. */
export interface StreamConsumer {
  readonly consumerArn: string;
  readonly status: "CREATING" | "DELETING" | "ACTIVE";
}

/** The actions, one method each; an expected failure is a value. */
export interface FanOutPort {
  describeStreamConsumer(
    request: { readonly streamArn: string; readonly consumerName: string },
    options?: CallOptions,
  ): Promise<Answer<StreamConsumer>>;
  registerStreamConsumer(
    request: { readonly streamArn: string; readonly consumerName: string },
    options?: CallOptions,
  ): Promise<Answer<StreamConsumer>>;
  subscribeToShard(
    request: { readonly consumerArn: string; readonly shardId: string; readonly position: StartingPosition },
    options?: CallOptions,
  ): Promise<Answer<Subscription>>;
}
