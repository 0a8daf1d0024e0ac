/**
 * Driver. SubscribeToShard: who may subscribe now, and the takeover of an earlier subscription.
 *
 * Source: type docs of SubscribeToShard in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { InputOf } from "../shapes/shape.ts";
import { Subscription } from "../subscription.ts";
import { rejectDryRun } from "./dry-run.ts";
import type { Inputs } from "./inputs.ts";
import { resolvePosition } from "./position.ts";

export function subscribeToShard(
  state: ServiceState,
  input: InputOf<Inputs["SubscribeToShard"]>,
  signal: AbortSignal | undefined,
): ServiceOutput {
  const { stream, consumer } = state.consumer(input);
  const { nowMs, wallMs } = state.moment();
  const shard = stream.shard(input.ShardId, wallMs);
  rejectDryRun(input);
  const pair = `${consumer.consumerArn} ${shard.shardId}`;
  state.takeCall(`SubscribeToShard of consumer and shard ${pair}`, state.limits.subscribeCallsPerSecond);
  if (consumer.status !== "ACTIVE") {
    throw new ServiceError(
      "ResourceInUseException",
      `Consumer ${consumer.consumerName} is not ACTIVE, instead in state ${consumer.status}.`,
    );
  }
  const earlier = state.subscriptions.get(pair);
  if (earlier !== undefined && nowMs - earlier.startedMs < state.limits.subscriptionTakeoverMs) {
    throw new ServiceError(
      "ResourceInUseException",
      `Another active subscription exists for this consumer: ${consumer.consumerName} and shard ${shard.shardId}.`,
    );
  }
  const { Type: type, SequenceNumber: sequenceNumber, Timestamp: timestamp } = input.StartingPosition;
  const counter = resolvePosition(state, stream, shard, {
    action: "SubscribeToShard",
    type,
    sequenceNumber,
    timestamp,
  });
  earlier?.fail(
    new ServiceError(
      "ResourceInUseException",
      `Another subscription of consumer ${consumer.consumerName} took over shard ${shard.shardId}.`,
    ),
  );
  const subscription = new Subscription({ state, stream, shard, consumer, counter, signal });
  state.subscriptions.set(pair, subscription);
  subscription.onEnd = () => {
    if (state.subscriptions.get(pair) === subscription) state.subscriptions.delete(pair);
  };
  return { EventStream: subscription };
}
