/**
 * Driver. Registered consumers of enhanced fan-out: register, deregister, describe, list.
 *
 * Source: type docs of each action in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Stream } from "../stream.ts";
import type { StreamConsumer } from "../stream-consumer.ts";
import type { Inputs } from "./inputs.ts";
import { openPage } from "./list-shards.ts";
import { addTags } from "./tags.ts";

export function registerConsumer(state: ServiceState, input: InputOf<Inputs["RegisterStreamConsumer"]>): ServiceOutput {
  const stream = state.activeStream(input);
  const { ConsumerName: consumerName } = input;
  checkConsumerQuotas(state, stream, consumerName);
  const wallMs = state.clock.wallMs();
  const second = stream.nextConsumerSecond(Math.floor(wallMs / 1000));
  const consumer: StreamConsumer = {
    consumerName,
    consumerArn: `${stream.streamArn}/consumer/${consumerName}:${second}`,
    createdWallMs: wallMs,
    tags: new Map(),
    status: "CREATING",
  };
  addTags(state, consumer.tags, input.Tags ?? {});
  stream.consumers.set(consumerName, consumer);
  const activate = () => {
    if (consumer.status === "CREATING") consumer.status = "ACTIVE";
    state.updateRent(stream);
  };
  if (state.transitionMs === 0) activate();
  else state.clock.schedule(state.transitionMs, activate);
  return { Consumer: describe(consumer) };
}

function checkConsumerQuotas(state: ServiceState, stream: Stream, consumerName: string): void {
  const { consumersPerStream, consumersPerStreamAdvantage, consumersCreating } = state.limits;
  if (stream.consumers.has(consumerName)) {
    throw new ServiceError(
      "ResourceInUseException",
      `Consumer ${consumerName} of stream ${stream.streamName} under account ${state.accountId} already exists.`,
    );
  }
  const hasAdvantage = state.meter.advantage && stream.mode === "ON_DEMAND";
  const most = hasAdvantage ? consumersPerStreamAdvantage : consumersPerStream;
  const creating = [...stream.consumers.values()].filter((consumer) => consumer.status === "CREATING").length;
  if (stream.consumers.size < most && creating < consumersCreating) return;
  throw new ServiceError(
    "LimitExceededException",
    `Stream ${stream.streamName} under account ${state.accountId} has ${stream.consumers.size} consumers, ` +
      `${creating} of them in CREATING; there may be ${most} and ${consumersCreating}.`,
  );
}

export function deregisterConsumer(
  state: ServiceState,
  input: InputOf<Inputs["DeregisterStreamConsumer"]>,
): ServiceOutput {
  const { stream, consumer } = state.consumer(input);
  if (consumer.status === "CREATING") {
    throw new ServiceError("ResourceInUseException", `Consumer ${consumer.consumerName} is being created.`);
  }
  consumer.status = "DELETING";
  const remove = () => {
    if (stream.consumers.get(consumer.consumerName) !== consumer) return;
    stream.consumers.delete(consumer.consumerName);
    state.policies.delete(consumer.consumerArn);
    state.updateRent(stream);
    for (const subscription of state.subscriptions.values()) {
      if (subscription.consumerArn === consumer.consumerArn) subscription.wake();
    }
  };
  if (state.transitionMs === 0) remove();
  else state.clock.schedule(state.transitionMs, remove);
  return {};
}

export function describeConsumer(state: ServiceState, input: InputOf<Inputs["DescribeStreamConsumer"]>): ServiceOutput {
  const { stream, consumer } = state.consumer(input);
  return { ConsumerDescription: { ...describe(consumer), StreamARN: stream.streamArn } };
}

export function listConsumers(state: ServiceState, input: InputOf<Inputs["ListStreamConsumers"]>): ServiceOutput {
  const stream = state.stream(input);
  const created = input.StreamCreationTimestamp;
  if (created !== undefined && Math.floor(created.getTime() / 1000) !== Math.floor(stream.createdWallMs / 1000)) {
    throw state.streamNotFound(stream.streamName);
  }
  const after = input.NextToken === undefined ? "" : openPage(state, input.NextToken, "ListStreamConsumers").after;
  const all = [...stream.consumers.values()]
    .filter((consumer) => consumer.consumerName > after)
    .toSorted((a, b) => (a.consumerName < b.consumerName ? -1 : 1));
  const page = all.slice(0, Math.min(input.MaxResults ?? 100, 100));
  const last = page.at(-1);
  return {
    Consumers: page.map(describe),
    ...(page.length < all.length && last !== undefined
      ? {
          NextToken: state.seal.sealPage({
            list: "ListStreamConsumers",
            of: stream.streamArn,
            after: last.consumerName,
            query: "",
            madeMs: Math.floor(state.clock.steadyMs()),
          }),
        }
      : {}),
  };
}

function describe(consumer: StreamConsumer): ServiceOutput {
  return {
    ConsumerName: consumer.consumerName,
    ConsumerARN: consumer.consumerArn,
    ConsumerStatus: consumer.status,
    ConsumerCreationTimestamp: new Date(consumer.createdWallMs),
  };
}
