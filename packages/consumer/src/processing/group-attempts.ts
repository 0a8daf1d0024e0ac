/**
 * Driver. Calls the handler with a group of records until each is done: again, in halves, or by its dead letter.
 */
import { describeError } from "@millrace/core/observe";
import { backoffMs, sleep } from "@millrace/core/runtime";
import type { ConsumedRecord, LeasedShard } from "../record.ts";
import type { AttemptLog } from "./attempt-log.ts";
import type { FailedRecord } from "./dead-letter.ts";
import type { ResolvedEachOptions } from "./each-options.ts";
import type { EachPorts, GroupCall } from "./each-ports.ts";
import { decideAfterFailure } from "./failure-policy.ts";
import { shardBehind, type ShardBehind } from "./shard-behind.ts";

/** A record with what follows when it is done. */
export interface AdmittedRecord {
  readonly record: ConsumedRecord;
  readonly finish: () => Promise<void> | undefined;
}

/** Thrown inside when a record has failed for good and the shard is to stop at it. */
export class StoppedAtRecord extends Error {}

/** Thrown inside when the shard is to end: what is not done is delivered to the next owner. */
export class ShardEnding extends Error {}

export interface GroupAttemptsOptions {
  readonly shard: LeasedShard;
  readonly call: GroupCall;
  readonly options: ResolvedEachOptions;
  readonly ports: EachPorts;
  readonly log: AttemptLog;
  /** True while nothing before the record is open. */
  readonly isFirst: (record: ConsumedRecord) => boolean;
}

/** Records that go to one call, and how many calls with just them there were. */
interface Part {
  readonly records: readonly AdmittedRecord[];
  readonly attempts: number;
}

/** How a call ended: undefined when all is done, else the place of the first record that is not. */
type Failure = { readonly at: number; readonly isTold: boolean; readonly error: unknown } | undefined;

const retryBackoff = { initialMs: 100, maxMs: 30_000 };

/** The tries of one tenure. */
export class GroupAttempts {
  readonly #wiring: GroupAttemptsOptions;
  readonly #behind: ShardBehind;
  /** What holds each record up, the oldest first. */
  readonly #troubles = new Map<ConsumedRecord, string>();

  constructor(wiring: GroupAttemptsOptions) {
    this.#wiring = wiring;
    this.#behind = shardBehind(wiring.shard);
  }

  /**
   * Resolves once every record of the group is done.
   * @throws {StoppedAtRecord} when the shard is to stop at one of them.
   * @throws {ShardEnding} when the shard is to end first.
   */
  async untilDone(records: readonly AdmittedRecord[], attemptsBefore: number): Promise<void> {
    const parts: Part[] = [{ records, attempts: attemptsBefore }];
    if (attemptsBefore > 0) await this.#giveUpUntold(parts);
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const failure = await this.#call(part);
      if (failure === undefined) {
        await this.#finish(part.records);
        continue;
      }
      if (failure.at > 0) await this.#finish(part.records.slice(0, failure.at));
      const rest = part.records.slice(failure.at);
      const attempts = failure.at > 0 ? 1 : part.attempts + 1;
      await this.#afterFailure({ records: rest, attempts }, failure, parts);
    }
  }

  async #call({ records, attempts }: Part): Promise<Failure> {
    const { shard, call, log } = this.#wiring;
    const { shardId, streamName, signal, fencingToken } = shard;
    const attempt = attempts + 1;
    const logged = log.beforeCall(attempt, records[0]?.record);
    if (logged !== undefined) await logged;
    // A call that is not begun by now is the next owner's.
    this.#throwIfEnding();
    try {
      const failed = await call(
        records.map(({ record }) => record),
        { shardId, streamName, attempt, signal, fencingToken },
      );
      if (failed === undefined) return undefined;
      const at = records.findIndex(({ record }) => record === failed.failedAt);
      if (at < 0) throw new RangeError(`${shardId}: the record in failedAt is not in the batch of this call`);
      const error = failed.error ?? new Error("the handler told that it failed");
      return { at, isTold: true, error };
    } catch (error) {
      if (signal.aborted) throw error;
      return { at: 0, isTold: records.length === 1, error };
    } finally {
      this.#behind.alive();
    }
  }

  async #afterFailure(part: Part, failure: NonNullable<Failure>, parts: Part[]): Promise<void> {
    const { options, ports, log, isFirst } = this.#wiring;
    const { records, attempts } = part;
    const { isTold, error } = failure;
    const agesMs = this.#agesMs(records);
    const step = decideAfterFailure(options, { agesMs, attempts, isFirstTold: isTold });
    const delayMs = step.next === "retry" ? backoffMs(retryBackoff, attempts, ports.system.random()) : 0;
    this.#tell(part, error, step.next === "give-up" ? undefined : delayMs);
    const [first] = records;
    if (step.next === "split") {
      const half = Math.ceil(records.length / 2);
      parts.push({ records: records.slice(half), attempts: 0 }, { records: records.slice(0, half), attempts: 0 });
      return;
    }
    if (first !== undefined && isFirst(first.record)) await log.failed(attempts, step.next === "retry", first.record);
    if (step.next === "give-up") {
      const left = records.slice(step.records);
      if (left.length > 0) parts.push({ records: left, attempts: isTold ? 0 : attempts });
      await this.#giveUp(records.slice(0, step.records), attempts, step.why, error);
      return;
    }
    parts.push(part);
    await this.#pause(delayMs);
  }

  /** Calls that ended with their worker have used the tries up: there is nothing that the handler could tell any more. */
  async #giveUpUntold(parts: Part[]): Promise<void> {
    const { options, log } = this.#wiring;
    const [part] = parts;
    // After a stop on purpose a restart tries again.
    const isFinal = log.hasVanished || options.deadLetter !== undefined;
    if (part === undefined || part.records.length > 1 || !isFinal) return;
    const { records, attempts } = part;
    const step = decideAfterFailure(options, { agesMs: this.#agesMs(records), attempts, isFirstTold: true });
    if (step.next !== "give-up") return;
    parts.length = 0;
    const error = new Error(`its worker ended during the last of ${attempts} calls`);
    this.#tell(part, error, undefined);
    if (options.deadLetter === undefined) await log.failed(attempts, false, records[0]?.record);
    await this.#giveUp(records, attempts, step.why, error);
  }

  async #giveUp(
    records: readonly AdmittedRecord[],
    attempts: number,
    why: FailedRecord["why"],
    error: unknown,
  ): Promise<void> {
    const { options, shard, ports } = this.#wiring;
    const { shardId, streamName } = shard;
    for (const admitted of records) {
      const { record } = admitted;
      const { sequenceNumber, subSequenceNumber } = record;
      if (options.deadLetter === undefined) {
        const described = describeError(error);
        this.#behind.stopped(`record ${sequenceNumber} failed for good: ${described}`);
        ports.events.publish({ type: "shard-stopped", shardId, sequenceNumber, subSequenceNumber, error: described });
        throw new StoppedAtRecord(described);
      }
      await this.#untilSent(options.deadLetter, { record, shardId, streamName, attempts, why, error });
      await this.#finish([admitted]);
    }
  }

  async #untilSent(deadLetter: NonNullable<ResolvedEachOptions["deadLetter"]>, failed: FailedRecord): Promise<void> {
    const { ports, shard } = this.#wiring;
    const { shardId } = shard;
    const { sequenceNumber, subSequenceNumber } = failed.record;
    for (let attempt = 1; ; attempt++) {
      this.#throwIfEnding();
      try {
        await deadLetter.send(failed);
        ports.events.publish({ type: "dead-lettered", shardId, sequenceNumber, subSequenceNumber, why: failed.why });
        return;
      } catch (error) {
        const retryInMs = backoffMs(retryBackoff, attempt, ports.system.random());
        const described = describeError(error);
        ports.events.publish({ type: "dead-letter-failed", shardId, error: described, retryInMs });
        this.#troubled(failed.record, `the dead letter does not take record ${sequenceNumber}: ${described}`);
        this.#behind.alive();
        await this.#pause(retryInMs);
      }
    }
  }

  async #finish(records: readonly AdmittedRecord[]): Promise<void> {
    const { log } = this.#wiring;
    for (const { record, finish } of records) {
      if (this.#troubles.size > 0) this.#troubled(record, undefined);
      const riding = finish();
      if (riding !== undefined) await riding;
      const logged = log.afterRecord();
      if (logged !== undefined) await logged;
    }
  }

  #tell({ records, attempts }: Part, error: unknown, retryInMs: number | undefined): void {
    const { ports, shard } = this.#wiring;
    const [first] = records;
    if (first === undefined) return;
    const { sequenceNumber, subSequenceNumber } = first.record;
    const described = describeError(error);
    ports.events.publish({
      type: "record-failed",
      shardId: shard.shardId,
      sequenceNumber,
      subSequenceNumber,
      records: records.length,
      attempt: attempts,
      error: described,
      retryInMs,
    });
    this.#troubled(
      first.record,
      `record ${sequenceNumber} has failed ${attempts} times and is tried again: ${described}`,
    );
  }

  #troubled(record: ConsumedRecord, why: string | undefined): void {
    if (why === undefined) this.#troubles.delete(record);
    else this.#troubles.set(record, why);
    const [oldest] = this.#troubles.values();
    this.#behind.troubled(oldest);
  }

  #agesMs(records: readonly AdmittedRecord[]): readonly (number | undefined)[] {
    const now = this.#wiring.ports.system.wallNow();
    return records.map(({ record }) => {
      const arrival = record.approximateArrivalTimestamp?.getTime();
      return arrival === undefined ? undefined : now - arrival;
    });
  }

  async #pause(delayMs: number): Promise<void> {
    // The one reason for a rejection is the end of the shard, which is looked at next.
    await sleep(this.#wiring.ports.system, delayMs, { signal: this.#behind.ending }).catch(() => undefined);
    this.#throwIfEnding();
  }

  #throwIfEnding(): void {
    if (this.#behind.isEnding()) throw new ShardEnding("the shard is to end");
  }
}
