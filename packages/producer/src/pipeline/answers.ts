/**
 * Pure. Reads the answer to a PutRecords request: what became of each Kinesis record in it.
 */
import type { Answer, PutRecordsResponse } from "@millrace/core/kinesis";
import type { PlannedRequest, Stored } from "./effects.ts";
import { hashKeyOfPending, type OutgoingRecord } from "./records.ts";
import { judgeEntryFailure, judgeRequestFailure, type AttemptRecorder, type FailureVerdict } from "./retrier.ts";
import type { ShardMap } from "./shard-map.ts";

/** When a request began and when its answer came. */
export interface RequestTimes {
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

/** An answer, sorted by what has to be done. */
export interface Digest {
  readonly landed: readonly Stored[];
  /** Records that were refused one by one. */
  readonly refused: readonly {
    readonly outgoing: OutgoingRecord;
    readonly verdict: "retry" | "throttled";
    readonly failure: Failure;
  }[];
  /** Set when the request failed as a whole. */
  readonly requestFailure: { readonly verdict: FailureVerdict; readonly failure: Failure } | undefined;
}

/** Sorts an answer, and adds the attempt to the history of every record that was in the request. */
export function digestAnswer(
  request: PlannedRequest,
  answer: Answer<PutRecordsResponse>,
  recorder: AttemptRecorder,
): Digest {
  const { records } = request;
  if (!answer.ok) {
    const { error } = answer;
    const failure: Failure = { code: error.code, message: error.message, cause: error };
    return wholeFailure(records, recorder, judgeRequestFailure(error), failure, error.mayHaveTakenEffect);
  }
  const results = answer.value.records;
  if (results.length !== records.length) {
    const message = `${records.length} records were sent, ${results.length} results came back`;
    return wholeFailure(records, recorder, "retry", { code: "Record Count Mismatch", message }, true);
  }
  const landed: Stored[] = [];
  const refused: { outgoing: OutgoingRecord; verdict: "retry" | "throttled"; failure: Failure }[] = [];
  for (let index = 0; index < results.length; index++) {
    const outgoing = records[index];
    const result = results[index];
    if (outgoing === undefined || result === undefined) continue;
    if (result.ok) {
      recorder.add(outgoing);
      landed.push({ type: "stored", outgoing, shardId: result.shardId, sequenceNumber: result.sequenceNumber });
    } else {
      const failure = { code: result.errorCode, message: result.errorMessage };
      recorder.add(outgoing, failure);
      refused.push({ outgoing, verdict: judgeEntryFailure(result.errorCode), failure });
    }
  }
  return { landed, refused, requestFailure: undefined };
}

function wholeFailure(
  records: readonly OutgoingRecord[],
  recorder: AttemptRecorder,
  verdict: FailureVerdict,
  failure: Failure,
  mayHaveBeenStored: boolean,
): Digest {
  for (const outgoing of records) {
    recorder.add(outgoing, failure);
    outgoing.mayHaveBeenStored ||= mayHaveBeenStored;
  }
  return { landed: [], refused: [], requestFailure: { verdict, failure } };
}

/**
 * Whether readers will accept a record where it landed:
 * - `right`: it was predicted there, or nothing was predicted, or it is no aggregate. The KCL's range check drops
 *   aggregates only.
 * - `moved`: it landed elsewhere, in a shard that owns all of its members' keys: the map is old, the record is safe.
 * - `astray`: some member's key is not the shard's. A reader that checks ranges drops the whole aggregate, the members
 *   that are in range too, so all of them count as not delivered.
 * - `unknown`: the shard is younger than the map.
 */
export function judgeLanding(landing: Stored, map: ShardMap | undefined): "right" | "moved" | "astray" | "unknown" {
  const { outgoing, shardId } = landing;
  if (outgoing.shardId === undefined || outgoing.shardId === shardId) return "right";
  if (outgoing.members.length === 1 || outgoing.alone) return "moved";
  let verdict: "moved" | "unknown" = "moved";
  for (const member of outgoing.members) {
    const contains = map?.contains(shardId, hashKeyOfPending(member));
    if (contains === false) return "astray";
    if (contains === undefined) verdict = "unknown";
  }
  return verdict;
}

/** Turns the last attempt of a record from a success into the failure it is to readers. */
export function markAstray(outgoing: OutgoingRecord, shardId: string): void {
  const { attempts } = outgoing;
  const last = attempts.at(-1) ?? { delayMs: 0, durationMs: 0 };
  const errorMessage = `predicted ${outgoing.shardId}, stored in ${shardId}, which does not own all of its keys`;
  outgoing.attempts = [...attempts.slice(0, -1), { ...last, success: false, errorCode: "Wrong Shard", errorMessage }];
  outgoing.mayHaveBeenStored = true;
}
