/**
 * Driver. What of a stream can be set: retention, encryption, monitoring, mode, record size, throughput, distribution.
 *
 * Source: type docs of each action in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Stream } from "../stream.ts";
import { takeDailyChange } from "./daily-changes.ts";
import { shardLevelMetricNames, type Inputs } from "./inputs.ts";
import { checkMaxRecordSize, checkShardQuota, checkWarmThroughput } from "./streams.ts";

const shortestRetentionHours = 24;

export function increaseRetention(
  state: ServiceState,
  input: InputOf<Inputs["IncreaseStreamRetentionPeriod"]>,
): ServiceOutput {
  const stream = state.activeStream(input);
  const { RetentionPeriodHours: hours } = input;
  if (hours > state.limits.retentionHours) {
    throw invalid(
      `Maximum allowed retention period is ${state.limits.retentionHours} hours. ` +
        `Requested retention period (${hours} hours) is too long.`,
    );
  }
  if (hours < stream.retentionHours) throw invalid(wrongDirection(stream, hours, "shorter", "Decrease"));
  return setRetention(state, stream, hours);
}

export function decreaseRetention(
  state: ServiceState,
  input: InputOf<Inputs["DecreaseStreamRetentionPeriod"]>,
): ServiceOutput {
  const stream = state.activeStream(input);
  const { RetentionPeriodHours: hours } = input;
  if (hours < shortestRetentionHours) {
    throw invalid(
      `Minimum allowed retention period is ${shortestRetentionHours} hours. ` +
        `Requested retention period (${hours} hours) is too short.`,
    );
  }
  if (hours > stream.retentionHours) throw invalid(wrongDirection(stream, hours, "longer", "Increase"));
  return setRetention(state, stream, hours);
}

function wrongDirection(stream: Stream, hours: number, than: string, other: string): string {
  return (
    `Requested retention period (${hours} hours) for stream ${stream.streamName} can not be ${than} than existing ` +
    `retention period (${stream.retentionHours} hours). Use ${other}StreamRetentionPeriod.`
  );
}

function setRetention(state: ServiceState, stream: Stream, hours: number): ServiceOutput {
  state.transition(stream, "UPDATING", (moment) => stream.setRetentionHours(hours, moment.wallMs));
  return {};
}

export function startEncryption(state: ServiceState, input: InputOf<Inputs["StartStreamEncryption"]>): ServiceOutput {
  const stream = state.activeStream(input);
  if (input.EncryptionType !== "KMS") throw invalid("EncryptionType must be KMS.");
  const { keyChangesPerDay, encryptionDelayMs } = state.limits;
  takeDailyChange(state, stream.history.key, keyChangesPerDay, "StartStreamEncryption", stream);
  state.transition(stream, "UPDATING", (moment) => {
    if (stream.encryptionKeyId === undefined) stream.encryptedFromMs = moment.nowMs + encryptionDelayMs;
    stream.encryptionKeyId = input.KeyId;
  });
  return {};
}

export function stopEncryption(state: ServiceState, input: InputOf<Inputs["StopStreamEncryption"]>): ServiceOutput {
  const stream = state.activeStream(input);
  if (input.EncryptionType !== "KMS") throw invalid("EncryptionType must be KMS.");
  if (stream.encryptionKeyId !== undefined && stream.encryptionKeyId !== input.KeyId) {
    throw invalid(`KeyId is not the key that stream ${stream.streamName} is encrypted with.`);
  }
  state.transition(stream, "UPDATING", () => {
    stream.encryptionKeyId = undefined;
  });
  return {};
}

export function enableMonitoring(
  state: ServiceState,
  input: InputOf<Inputs["EnableEnhancedMonitoring"]>,
): ServiceOutput {
  return setMonitoring(state, input, (metrics) => (name) => metrics.add(name));
}

export function disableMonitoring(
  state: ServiceState,
  input: InputOf<Inputs["DisableEnhancedMonitoring"]>,
): ServiceOutput {
  return setMonitoring(state, input, (metrics) => (name) => metrics.delete(name));
}

function setMonitoring(
  state: ServiceState,
  input: InputOf<Inputs["EnableEnhancedMonitoring"]>,
  change: (metrics: Set<string>) => (name: string) => void,
): ServiceOutput {
  const stream = state.activeStream(input);
  const current = [...stream.shardLevelMetrics];
  const names = input.ShardLevelMetrics.includes("ALL") ? shardLevelMetricNames : input.ShardLevelMetrics;
  const changeOne = change(stream.shardLevelMetrics);
  for (const name of names) changeOne(name);
  return {
    StreamName: stream.streamName,
    StreamARN: stream.streamArn,
    CurrentShardLevelMetrics: current,
    DesiredShardLevelMetrics: [...stream.shardLevelMetrics],
  };
}

export function updateStreamMode(state: ServiceState, input: InputOf<Inputs["UpdateStreamMode"]>): ServiceOutput {
  const stream = state.activeStream(input);
  const mode = input.StreamModeDetails.StreamMode;
  if (input.WarmThroughputMiBps !== undefined) checkWarmThroughput(state, mode, input.WarmThroughputMiBps);
  if (mode === "PROVISIONED") {
    if (stream.strategy === "AUTO") {
      throw invalid("A stream with the record distribution strategy AUTO cannot become provisioned.");
    }
    if (stream.mode === "ON_DEMAND") checkShardQuota(state, stream.openShards.length);
  }
  takeDailyChange(state, stream.history.mode, state.limits.modeChangesPerDay, "UpdateStreamMode", stream);
  state.transition(stream, "UPDATING", () => {
    stream.mode = mode;
    stream.warmThroughputMiBps = input.WarmThroughputMiBps;
  });
  return {};
}

export function updateMaxRecordSize(state: ServiceState, input: InputOf<Inputs["UpdateMaxRecordSize"]>): ServiceOutput {
  const stream = state.activeStream(input);
  checkMaxRecordSize(state, input.MaxRecordSizeInKiB);
  state.transition(stream, "UPDATING", (moment) => {
    stream.setMaxRecordSizeKiB(input.MaxRecordSizeInKiB, moment.nowMs);
  });
  return {};
}

export function updateWarmThroughput(
  state: ServiceState,
  input: InputOf<Inputs["UpdateStreamWarmThroughput"]>,
): ServiceOutput {
  const stream = state.activeStream(input);
  const { WarmThroughputMiBps: mibps } = input;
  checkWarmThroughput(state, stream.mode, mibps);
  const current = stream.warmThroughputMiBps ?? 0;
  state.transition(stream, "UPDATING", () => {
    stream.warmThroughputMiBps = mibps;
  });
  return {
    StreamARN: stream.streamArn,
    StreamName: stream.streamName,
    WarmThroughput: { TargetMiBps: mibps, CurrentMiBps: current },
  };
}

export function updateDistribution(
  state: ServiceState,
  input: InputOf<Inputs["UpdateStreamRecordDistributionStrategy"]>,
): ServiceOutput {
  const stream = state.activeStream(input);
  if (input.RecordDistributionStrategy === "AUTO" && stream.mode === "PROVISIONED") {
    throw invalid(
      `RecordDistributionStrategy AUTO needs an on-demand stream, and ${stream.streamName} is provisioned.`,
    );
  }
  // Takes effect at once; what is stored stays where it is.
  stream.strategy = input.RecordDistributionStrategy;
  return {};
}

function invalid(message: string): ServiceError {
  return new ServiceError("InvalidArgumentException", message);
}
