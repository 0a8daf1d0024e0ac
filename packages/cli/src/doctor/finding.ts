/**
 * Pure. What `millrace doctor` finds, and what to do about it.
 */
import type { ApplicationReport, LeaseReport } from "@millrace/consumer/operate";
import type { KinesisError, Shard, StreamSummary } from "@millrace/core/kinesis";

/** One thing that was looked at. */
export interface Finding {
  readonly verdict: "ok" | "warn" | "fail";
  readonly what: string;
  /** What to do, where it is not ok. */
  readonly advice?: string | undefined;
}

const ok = (what: string): Finding => ({ verdict: "ok", what });
const warn = (what: string, advice: string): Finding => ({ verdict: "warn", what, advice });
const fail = (what: string, advice: string): Finding => ({ verdict: "fail", what, advice });

/** SigV4 requests are refused when the clocks are 5 minutes apart. Source: AWS, elements of a request signature. */
const signatureToleranceMs = 300_000;
const noticeableSkewMs = 30_000;
/** A lag that somebody should know about. */
const noticeableLagMs = 60_000;

/** Whether this host's clock serves to sign requests. `serviceTime` has seconds. */
export function judgeClock(serviceTime: number | undefined, wallNowMs: number): Finding {
  if (serviceTime === undefined) return warn("the service told no time", "The clock could not be compared.");
  const skewMs = Math.abs(wallNowMs - serviceTime);
  const what = `clock: ${(skewMs / 1000).toFixed(0)} s from the service's`;
  if (skewMs >= signatureToleranceMs) return fail(what, "Requests are refused from 300 s on. Set the clock by NTP.");
  if (skewMs >= noticeableSkewMs) return warn(what, "Set the clock by NTP: times in leases and reports are off.");
  return ok(what);
}

/** A call that failed, in words for whoever set the permissions. */
export function judgeFailure(action: string, error: KinesisError): Finding {
  const what = `${action}: ${error.code}: ${error.message}`;
  if (error.code === "ResourceNotFoundException") {
    return fail(what, "Check the stream's name, and the Region and account of the credentials.");
  }
  if (/AccessDenied/.test(error.code)) return fail(what, `Allow kinesis:${action} on the stream.`);
  if (error.kind === "throttle") return warn(what, "Other applications use up this action's rate. Look again later.");
  return fail(what, "See the message.");
}

/** The stream as the service describes it. */
export function judgeStream(stream: StreamSummary): Finding[] {
  const { streamName, streamStatus, streamMode, openShardCount, retentionPeriodHours } = stream;
  const what =
    `stream ${streamName}: ${streamStatus}, ${streamMode}, ${openShardCount} open shards, ` +
    `${retentionPeriodHours} h of retention, records up to ${stream.maxRecordSizeKiB} KiB`;
  const findings = [
    streamStatus === "ACTIVE" || streamStatus === "UPDATING"
      ? ok(what)
      : fail(what, "It takes no records in this state. Wait until it is ACTIVE."),
  ];
  if (stream.recordDistributionStrategy === "AUTO") {
    findings.push(
      warn(
        "records are distributed by AUTO: the service picks the shard and ignores keys",
        'Order by key is not to be had, and the producer refuses `ordering: "perKey"`.',
      ),
    );
  }
  return findings;
}

/** The application as its tables tell it, held against the stream's shards. */
export function judgeApplication(report: ApplicationReport, shards: readonly Shard[]): Finding[] {
  const { leases, workers, leader, leaseTable } = report;
  const active = workers.filter(({ isActive }) => isActive);
  const reading = leases.filter(({ isFinished }) => !isFinished);
  const findings = [ok(`lease table ${leaseTable}: ${leases.length} leases, ${workers.length} workers`)];
  if (active.length === 0) findings.push(warn("no worker has reported within the last minute", "Start a worker."));
  else if (leader === undefined) {
    findings.push(fail("nobody leads the fleet", "Look at the workers' events: the leader's row cannot be written."));
  } else if (!active.some(({ workerId }) => workerId === leader)) {
    findings.push(warn(`${leader} leads and does not report`, "It is replaced once its lock has run out."));
  }
  const unowned = reading.filter(({ owner }) => owner === undefined);
  if (active.length > 0 && unowned.length > 0) {
    findings.push(warn(`nobody reads ${names(unowned)}`, "The leader assigns them within its next look."));
  }
  const absent = reading.filter(
    ({ owner }) => owner !== undefined && !active.some(({ workerId }) => workerId === owner),
  );
  if (active.length > 0 && absent.length > 0) {
    findings.push(warn(`${names(absent)}: the owner does not report`, "The leader gives them to others."));
  }
  for (const lease of reading.filter(({ failedAttempts }) => failedAttempts > 0)) {
    findings.push(
      warn(
        `${lease.shardId}: ${lease.failedAttempts} failed attempts on the record after ${lease.checkpoint}`,
        "The handler fails on it. Mend the handler, or set a failure policy.",
      ),
    );
  }
  const known = new Set(leases.map(({ shardId }) => shardId));
  const inherits = (shard: Shard) =>
    [shard.parentShardId, shard.adjacentParentShardId].some((parent) => parent !== undefined && known.has(parent));
  const unleased = shards.filter(
    (shard) => shard.endingSequenceNumber === undefined && !known.has(shard.shardId) && !inherits(shard),
  );
  if (unleased.length > 0) {
    findings.push(warn(`no lease leads to ${names(unleased)}`, "The leader's next shard sync creates them."));
  }
  return findings;
}

/** How far a shard's reader is behind. */
export function judgeLag(shardId: string, millisBehindLatest: number): Finding {
  const what = `${shardId}: ${(millisBehindLatest / 1000).toFixed(0)} s behind the tip`;
  return millisBehindLatest < noticeableLagMs ? ok(what) : warn(what, "Its worker is slow, stopped, or catching up.");
}

function names(items: readonly Pick<LeaseReport, "shardId">[]): string {
  const first = items.slice(0, 5).map(({ shardId }) => shardId);
  const more = items.length > first.length ? ` and ${items.length - first.length} more` : "";
  return first.join(", ") + more;
}
