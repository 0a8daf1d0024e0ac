/**
 * Pure. Where reading a shard begins, as the count of a record.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceState } from "../service-state.ts";
import type { Shard } from "../shard.ts";
import type { Stream } from "../stream.ts";

export interface PositionInput {
  readonly action: "GetShardIterator" | "SubscribeToShard";
  readonly type: string;
  readonly sequenceNumber: string | undefined;
  readonly timestamp: Date | undefined;
}

/**
 * The count of the first record to read.
 * @throws {ServiceError} InvalidArgumentException when the parts do not go together, or name nothing in this shard.
 */
export function resolvePosition(state: ServiceState, stream: Stream, shard: Shard, input: PositionInput): number {
  const { type, sequenceNumber, timestamp } = input;
  const needsNumber = type === "AT_SEQUENCE_NUMBER" || type === "AFTER_SEQUENCE_NUMBER";
  const needsTime = type === "AT_TIMESTAMP";
  if (needsNumber !== (sequenceNumber !== undefined)) {
    throw invalid(`${type} ${needsNumber ? "needs" : "takes no"} starting sequence number.`);
  }
  if (needsTime !== (timestamp !== undefined)) {
    throw invalid(`${type} ${needsTime ? "needs a" : "takes no"} timestamp.`);
  }
  state.memory.trimExpired(stream, shard, state.clock.wallMs());
  if (type === "TRIM_HORIZON") return shard.log.trimHorizon;
  if (type === "LATEST") return shard.log.tip;
  if (timestamp !== undefined) return positionAtTime(state, shard, timestamp);
  const counter = shard.counterOf(sequenceNumber ?? "", type === "AT_SEQUENCE_NUMBER");
  if (counter === undefined) {
    throw invalid(
      `StartingSequenceNumber ${sequenceNumber} used in ${input.action} on shard ${shard.shardId} in stream ` +
        `${stream.streamName} under account ${state.accountId} is invalid.`,
    );
  }
  return Math.max(counter, shard.log.trimHorizon);
}

function positionAtTime(state: ServiceState, shard: Shard, timestamp: Date): number {
  const wallMs = state.clock.wallMs();
  if (timestamp.getTime() > wallMs) {
    throw invalid(
      `The timestamp ${timestamp.getTime()} cannot be later than the current timestamp ${wallMs}, in milliseconds.`,
    );
  }
  return shard.log.counterAtTime(timestamp.getTime());
}

function invalid(message: string): ServiceError {
  return new ServiceError("InvalidArgumentException", message);
}
