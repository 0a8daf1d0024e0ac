/**
 * Driver. Looks at everything a producer or consumer needs, one thing after the other. Reads only.
 */
import type { KinesisPort, Shard, StreamRef } from "@millrace/core/kinesis";
import type { ApplicationReport, LeaseReport } from "@millrace/consumer/operate";
import { judgeApplication, judgeClock, judgeFailure, judgeLag, judgeStream, type Finding } from "./finding.ts";

/** What the doctor looks at, and with. */
export interface Examination {
  readonly kinesis: KinesisPort;
  readonly stream: StreamRef;
  /** Rejects where there are none. */
  readonly credentials: () => Promise<unknown>;
  /** Reads the application's tables; undefined where only the stream is of interest. */
  readonly application: (() => Promise<ApplicationReport>) | undefined;
  readonly wallNow: () => number;
  /** Ends the call under way. */
  readonly signal: AbortSignal;
}

type Reach = Pick<Examination, "kinesis" | "stream" | "signal">;

/** Each shard costs one read of the five a second that all its readers share. */
const maxLagShards = 100;

/** The findings, as they are found. What later ones stand on ends the examination when it fails. */
export async function* examine(examination: Examination): AsyncGenerator<Finding> {
  const { kinesis, stream, wallNow } = examination;
  try {
    await examination.credentials();
    yield { verdict: "ok", what: "credentials: found" };
  } catch (error) {
    const advice = "Set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached.";
    yield { verdict: "fail", what: `credentials: ${(error as Error).message}`, advice };
    return;
  }
  const summary = await kinesis.describeStreamSummary(stream, examination);
  if (!summary.ok) {
    yield judgeFailure("DescribeStreamSummary", summary.error);
    return;
  }
  yield judgeClock(summary.serviceTime, wallNow());
  yield* judgeStream(summary.value);
  const shards = await allShards(examination);
  if (!Array.isArray(shards)) {
    yield shards;
    return;
  }
  yield { verdict: "ok", what: `ListShards: ${shards.length} shards` };
  const open = shards.find(({ endingSequenceNumber }) => endingSequenceNumber === undefined);
  if (open !== undefined) {
    const read = await behind(examination, open.shardId, undefined);
    yield typeof read === "number" ? { verdict: "ok", what: `GetRecords: ${open.shardId} can be read` } : read;
  }
  if (examination.application === undefined) return;
  try {
    const report = await examination.application();
    yield* judgeApplication(report, shards);
    yield* lags(examination, report);
  } catch (error) {
    const advice = "Check the application's name, the Region, and dynamodb:Scan on its table.";
    yield { verdict: "fail", what: (error as Error).message, advice };
  }
}

async function* lags(reach: Reach, report: ApplicationReport): AsyncGenerator<Finding> {
  const started = report.leases.filter((lease) => !lease.isFinished && sequenceNumberOf(lease) !== undefined);
  for (const lease of started.slice(0, maxLagShards)) {
    const lag = await behind(reach, lease.shardId, sequenceNumberOf(lease));
    yield typeof lag === "number" ? judgeLag(lease.shardId, lag) : lag;
  }
  const rest = started.length - maxLagShards;
  if (rest > 0) yield { verdict: "ok", what: `${rest} more shards: their lag was not measured` };
}

/** A checkpoint's record; undefined for a place that is no record's. */
function sequenceNumberOf({ checkpoint }: LeaseReport): string | undefined {
  return /^\d+/.exec(checkpoint)?.[0];
}

async function allShards({ kinesis, stream, signal }: Reach): Promise<Shard[] | Finding> {
  const shards: Shard[] = [];
  let answer = await kinesis.listShards(stream, { signal });
  for (;;) {
    if (!answer.ok) return judgeFailure("ListShards", answer.error);
    shards.push(...answer.value.shards);
    const { nextToken } = answer.value;
    if (nextToken === undefined) return shards;
    answer = await kinesis.listShards({ nextToken }, { signal });
  }
}

/** How far the record after `sequenceNumber` is behind the tip, in milliseconds; from the tip itself without one. */
async function behind(
  { kinesis, stream, signal }: Reach,
  shardId: string,
  sequenceNumber: string | undefined,
): Promise<number | Finding> {
  const position =
    sequenceNumber === undefined
      ? ({ type: "LATEST" } as const)
      : ({ type: "AFTER_SEQUENCE_NUMBER", sequenceNumber } as const);
  const iterator = await kinesis.getShardIterator({ ...stream, shardId, position }, { signal });
  if (!iterator.ok) return judgeFailure("GetShardIterator", iterator.error);
  const { shardIterator } = iterator.value;
  const answer = await kinesis.getRecords({ shardIterator, limit: 1, streamArn: stream.streamArn }, { signal });
  return answer.ok ? answer.value.millisBehindLatest : judgeFailure("GetRecords", answer.error);
}
