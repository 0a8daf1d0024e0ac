/**
 * Pure. The producer's whole path: what to do now, and what follows from each answer.
 *
 * The driver hands in records, answers and the time, carries out the effects of each plan, and asks for the next one
 * when something happened or the plan's time has come.
 */
import type { Answer, PutRecordsResponse, Shard, StreamSummary } from "@millrace/core/kinesis";
import type { PutErrorScope } from "../errors.ts";
import type { ProducerEvent } from "../events.ts";
import type { ResolvedOptions } from "../options.ts";
import { digestAnswer, judgeLanding, markAstray, type Failure, type RequestTimes } from "./answers.ts";
import type { Effect, Plan, PlannedRequest, Stored } from "./effects.ts";
import { Expiry } from "./expiry.ts";
import { Outbox } from "./outbox.ts";
import { disband, loneRecord, type OutgoingRecord, type PendingRecord } from "./records.ts";
import { planRequest } from "./request.ts";
import { AttemptRecorder, failuresOf, orderBrokenError, retryAt } from "./retrier.ts";
import { Router, type RoutingChange } from "./router.ts";

/** While the stream's own bound is not known. Source: PutRecords, default record size of 1 MiB; read 2026-11-22. */
const defaultMaxRecordBytes = 1_048_576;

export class Pipeline {
  readonly #options: ResolvedOptions;
  readonly #router = new Router();
  readonly #outbox: Outbox;
  readonly #expiry: Expiry;
  #now = 0;
  /** Aggregates that landed in shards younger than the map. */
  #unjudged: Stored[] = [];
  #effects: Effect[] = [];
  #hasStored = false;
  #astrayInRow = 0;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    const emit = (effect: Effect) => this.#emit(effect);
    this.#expiry = new Expiry(options.recordTtlMs, emit);
    this.#outbox = new Outbox(options, this.#router, this.#expiry, emit);
  }

  /** Takes a user record in. Gives the time by which `plan` must be called for its sake. */
  add(pending: PendingRecord, now: number): number {
    pending.state = "buffered";
    this.#now = now;
    return this.#outbox.add(pending, now) || this.#effects.length > 0 ? now : pending.deadline;
  }

  /** Takes in that the caller withdrew a record that is in no request. The driver has settled it. */
  withdrawn(pending: PendingRecord): void {
    this.#outbox.withdrawn(pending);
    this.#outbox.settled(pending, this.#now);
  }

  /** Makes everything that waits for company due. */
  expedite(now: number): void {
    this.#outbox.expedite(now);
  }

  /** What to do now, with room for `freeRequests` more in flight, and for `freeBytes`, which the last may pass. */
  plan(now: number, freeRequests: number, freeBytes: number): Plan {
    this.#now = now;
    if (!this.#outbox.isEmpty || this.#unjudged.length > 0) {
      const { listShards, describeStream } = this.#router.ask(now);
      if (listShards) this.#effects.push({ type: "list-shards" });
      if (describeStream) this.#effects.push({ type: "describe-stream" });
      this.#outbox.advance(now, freeRequests > 0 && freeBytes > 0);
    }
    let [requests, bytes] = [freeRequests, freeBytes];
    for (; requests > 0 && bytes > 0; requests--) {
      const records = this.#outbox.nextRequest(now);
      if (records === undefined) break;
      const request = planRequest(records, now, this.#options.requestTimeoutMs);
      bytes -= request.bytes;
      this.#effects.push({ type: "send", request });
    }
    const effects = this.#effects;
    this.#effects = [];
    const wakeAt = this.#outbox.wakeAt(now, requests > 0 && bytes > 0);
    return { effects, wakeAt: this.#unjudged.length > 0 ? Math.min(wakeAt, this.#router.nextFetchAt) : wakeAt };
  }

  /** Takes the answer of ListShards in: every open shard, or why not. */
  shardsListed(answer: Answer<readonly Shard[]>, now: number, random: number): void {
    this.#routingChanged(this.#router.shardsAnswered(answer, now, random), now);
    const unjudged = this.#unjudged;
    this.#unjudged = [];
    for (const landing of unjudged) {
      // A shard that even the new map does not know cannot vouch for the record.
      if (judgeLanding(landing, this.#router.map) === "moved") this.#stored(landing);
      else this.#astray(landing, now);
    }
  }

  /** Takes the answer to a `compress` in; undefined where it failed. */
  packed(outgoing: OutgoingRecord, compressed: Uint8Array | undefined, now: number): void {
    this.#outbox.packed(outgoing, compressed, now);
  }

  streamDescribed(answer: Answer<StreamSummary>, now: number): void {
    this.#routingChanged(this.#router.streamAnswered(answer), now);
  }

  /** Takes the answer to a planned request in. */
  answered(
    request: PlannedRequest,
    answer: Answer<PutRecordsResponse>,
    times: RequestTimes,
    random: () => number,
  ): void {
    this.#now = times.endedAt;
    const digest = digestAnswer(request, answer, new AttemptRecorder(times));
    for (const landing of digest.landed) this.#landed(landing, times);
    for (const { outgoing, verdict, failure } of digest.refused) this.#again(outgoing, verdict, failure, random);
    const whole = digest.requestFailure;
    this.#expiry.lastFailure = whole?.failure;
    this.#event({
      type: "request-completed",
      kinesisRecords: request.records.length,
      userRecords: request.userRecords,
      bytes: request.bytes,
      durationMs: times.endedAt - times.startedAt,
      failedRecords: whole === undefined ? digest.refused.length : request.records.length,
      ...(whole && { errorCode: whole.failure.code }),
    });
    if (whole === undefined) return;
    const { verdict, failure } = whole;
    if (verdict === "isolate") this.#isolate(request, failure);
    else if (verdict === "fail-stream") this.#fail(request.records, failure, "stream");
    else if (verdict === "closed") this.#fail(request.records, failure, "lifetime");
    else {
      // Records that failed together wait alike: in an outage they then go together again, and share one history.
      const fraction = random();
      for (const outgoing of request.records) this.#again(outgoing, verdict, failure, () => fraction);
    }
  }

  /** Takes out everything that is in no request, for a producer that gives up. */
  drain(): readonly PendingRecord[] {
    const unjudged = this.#unjudged.flatMap((landing) => landing.outgoing.members);
    this.#unjudged = [];
    return [...this.#outbox.drain(), ...unjudged];
  }

  #routingChanged(change: RoutingChange, now: number): void {
    for (const event of change.events) this.#event(event);
    const { streamError } = change;
    if (streamError !== undefined) {
      for (const pending of this.#outbox.drainUnrouted())
        this.#fail([loneRecord(pending, undefined)], streamError, "stream");
    }
    if (change.reroute && this.#router.mode !== "unknown") this.#outbox.reroute(now);
  }

  #landed(landing: Stored, times: RequestTimes): void {
    this.#outbox.limiter.stored(landing.shardId, times.endedAt);
    this.#hasStored = true;
    const verdict = judgeLanding(landing, this.#router.map);
    if (verdict === "unknown") {
      // The shard may have been made while the request was under way: a map asked for before the answer is no help.
      this.#router.suspectMap(times.endedAt);
      this.#unjudged.push(landing);
      return;
    }
    if (verdict !== "right") this.#router.suspectMap(times.startedAt);
    if (verdict === "astray") this.#astray(landing, times.endedAt);
    else this.#stored(landing);
  }

  #stored(landing: Stored): void {
    if (landing.outgoing.members.length > 1) this.#astrayInRow = 0;
    this.#emit(landing);
  }

  /**
   * A split closed shard 1 while an aggregate for it was under way; Kinesis stored it in child 2, but some members
   * belong to child 3. A KCL reader of child 2 finds them out of range and drops the aggregate, also the members that
   * are in range. So all are sent again, each alone: then no reader drops any of them, wherever it lands.
   */
  #astray({ outgoing, shardId }: Stored, now: number): void {
    markAstray(outgoing, shardId);
    const predictedShardId = outgoing.shardId ?? "";
    const userRecords = outgoing.members.length;
    this.#event({ type: "wrong-shard", predictedShardId, actualShardId: shardId, userRecords });
    this.#astrayInRow += 1;
    // One verdict is a reshard; verdicts that go on mean that keys do not decide any more.
    if (this.#astrayInRow > 1) this.#router.suspectStrategy();
    if (!this.#expiry.keepsAnyAfterAttempt(outgoing, now)) return;
    const members = disband(outgoing);
    for (const member of members) member.state = "buffered";
    if (this.#outbox.takeBackAlone(members, now)) return;
    for (const member of members) this.#outbox.delay(loneRecord(member, undefined, true));
  }

  /** Sends a Kinesis record again after a while, or fails it where its time or its caller's patience is over. */
  #again(outgoing: OutgoingRecord, verdict: "retry" | "throttled", failure: Failure, random: () => number): void {
    const now = outgoing.lastTouchedAt;
    const { shardId } = outgoing;
    if (verdict === "throttled" && shardId !== undefined && this.#outbox.limiter.throttled(shardId, now, random())) {
      const ratePercent = Math.round(this.#outbox.limiter.factorOf(shardId) * 100);
      this.#event({ type: "throttled", shardId, ratePercent });
    }
    if (verdict === "throttled" && this.#options.failIfThrottled) {
      this.#fail([outgoing], failure, "lifetime");
      return;
    }
    if (!this.#expiry.keepsAnyAfterAttempt(outgoing, now)) return;
    for (const member of outgoing.members) member.state = "buffered";
    outgoing.notBefore = retryAt(outgoing, now, random());
    this.#event({
      type: "retry",
      code: failure.code,
      message: failure.message,
      userRecords: outgoing.members.length,
      ...(shardId !== undefined && { shardId }),
      delayMs: outgoing.notBefore - now,
    });
    this.#outbox.delay(outgoing);
  }

  /**
   * The service refused a whole request, which one bad record is enough for: halves of it go apart, then halves of
   * those, until the bad one stands alone.
   */
  #isolate(request: PlannedRequest, failure: Failure): void {
    const { records } = request;
    const [only] = records;
    if (only !== undefined && records.length === 1 && only.members.length === 1) {
      this.#fail(records, failure, this.#isRecordAtFault(only) ? "record" : "stream");
      return;
    }
    this.#event({
      type: "request-refused",
      code: failure.code,
      message: failure.message,
      userRecords: request.userRecords,
    });
    if (only !== undefined && records.length === 1) {
      for (const member of only.members) member.state = "buffered";
      if (this.#outbox.takeBackAlone(disband(only), this.#now)) return;
    }
    const parts =
      only !== undefined && records.length === 1
        ? disband(only).map((member) => loneRecord(member, only.shardId, true))
        : records;
    for (const member of parts.flatMap((part) => part.members)) member.state = "buffered";
    const half = Math.ceil(parts.length / 2);
    for (const group of [parts.slice(0, half), parts.slice(half)]) this.#outbox.isolate(group);
  }

  /**
   * A record that was refused alone is at fault if others were stored, or if it is larger than the stream takes.
   * Otherwise the refusal speaks of the stream, and setting the record aside would empty a whole source into a bin.
   */
  #isRecordAtFault(outgoing: OutgoingRecord): boolean {
    return this.#hasStored || outgoing.sizeBytes > (this.#router.maxRecordBytes ?? defaultMaxRecordBytes);
  }

  #fail(records: readonly OutgoingRecord[], failure: Failure, scope: PutErrorScope): void {
    for (const outgoing of records) for (const effect of failuresOf(outgoing, failure, scope)) this.#emit(effect);
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect);
    if (this.#options.ordering === "none" || (effect.type !== "stored" && effect.type !== "failed")) return;
    const members = effect.type === "stored" ? effect.outgoing.members : effect.members;
    if (effect.type === "failed" && this.#options.onOrderBreak === "fail") {
      for (const member of members) {
        for (const follower of this.#outbox.takeFollowers(member)) {
          this.#emit({ type: "failed", members: [follower], error: orderBrokenError(follower, effect.error) });
        }
      }
    }
    for (const member of members) this.#outbox.settled(member, this.#now);
  }

  #event(event: ProducerEvent): void {
    this.#effects.push({ type: "event", event });
  }
}
