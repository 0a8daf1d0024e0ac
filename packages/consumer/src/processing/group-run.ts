/**
 * Driver. One tenure of a shard's records under `runEach` or `runBatches`: gathered into groups, handled in order per key
 * and side by side otherwise, and checkpointed only as far as nothing before is open [C11].
 */
import type { Timer } from "@millrace/core/runtime";
import { compareCheckpoints } from "../checkpoint/checkpoint.ts";
import { placeOf, type ConsumedRecord, type LeasedShard, type RecordBatch } from "../record.ts";
import { untilAborted } from "../until-aborted.ts";
import { AttemptLog } from "./attempt-log.ts";
import { isTryingBounded, type ResolvedEachOptions } from "./each-options.ts";
import type { EachPorts, GroupCall } from "./each-ports.ts";
import { FinishedPrefix } from "./finished-prefix.ts";
import { GroupAttempts, ShardEnding, StoppedAtRecord, type AdmittedRecord } from "./group-attempts.ts";
import { KeyedRunner } from "./keyed-runner.ts";
import { shardBehind, type ShardBehind } from "./shard-behind.ts";

interface Place {
  readonly record: ConsumedRecord;
  readonly batch: RecordBatch;
}

/** Records on their way to one call. */
interface Group {
  readonly records: AdmittedRecord[];
  readonly attemptsBefore: number;
}

/** Where records of the same keys gather. */
interface Lane {
  readonly key: string;
  records: AdmittedRecord[];
  bytes: number;
  timer: Timer | undefined;
}

/** How records are spread over lanes. */
export interface GroupShape {
  /** Records of one lane are handled one after another; undefined binds a record to no order. */
  readonly laneOf: (record: ConsumedRecord) => string | undefined;
  /** Groups that may run or wait for their lane. */
  readonly maxAdmitted: number;
}

/** One tenure. */
export class GroupRun {
  readonly #shard: LeasedShard;
  readonly #behind: ShardBehind;
  readonly #options: ResolvedEachOptions;
  readonly #ports: EachPorts;
  readonly #shape: GroupShape;
  readonly #prefix = new FinishedPrefix<Place>();
  readonly #log: AttemptLog;
  readonly #attempts: GroupAttempts;
  readonly #runner: KeyedRunner<Group>;
  readonly #lanes = new Map<string, Lane>();
  /** Calls that were made by another worker on the next record to admit, or on the one that the log tells. */
  #attemptsBefore: number;

  constructor(shard: LeasedShard, call: GroupCall, options: ResolvedEachOptions, shape: GroupShape, ports: EachPorts) {
    this.#shard = shard;
    this.#behind = shardBehind(shard);
    this.#options = options;
    this.#ports = ports;
    this.#shape = shape;
    this.#log = new AttemptLog(this.#behind, isTryingBounded(options));
    this.#attemptsBefore = this.#log.madeBefore;
    this.#attempts = new GroupAttempts({
      shard,
      call,
      options,
      ports,
      log: this.#log,
      isFirst: (record) => this.#prefix.first?.record === record,
    });
    this.#runner = new KeyedRunner({
      concurrency: options.concurrency,
      maxAdmitted: shape.maxAdmitted,
      run: (group) => this.#attempts.untilDone(group.records, group.attemptsBefore),
      // The loop may be waiting for records that never come.
      onFailure: () => this.#behind.leave(),
    });
  }

  /** Handles records until the shard's loop ends. */
  async run(): Promise<void> {
    try {
      for await (const batch of this.#shard) {
        for (const record of batch.records) {
          // A lane that is due fills the runner; past its bound the next record waits.
          const admitted = this.#admit(record, batch);
          if (admitted !== undefined) await admitted;
        }
        if (this.#options.batchWindowMs === 0) await this.#flushAll();
      }
      // What was gathered and not begun is the next owner's where this worker is to let go.
      if (this.#shard.endedBy === "shard-end") await this.#flushAll();
      await this.#runner.idle();
    } catch (error) {
      await this.#runner.idle().catch(() => undefined);
      if (error instanceof StoppedAtRecord) await untilAborted(this.#behind.ending);
      else if (!(error instanceof ShardEnding)) throw error;
    } finally {
      for (const lane of this.#lanes.values()) lane.timer?.cancel();
      await this.#log.settle();
    }
  }

  /** Takes a record in; gives what has to be waited for before the next. */
  #admit(record: ConsumedRecord, batch: RecordBatch): Promise<void> | undefined {
    const { filter, maxBatchRecords, maxBatchBytes, batchWindowMs } = this.#options;
    const finish = this.#prefix.admit({ record, batch });
    const admitted: AdmittedRecord = { record, finish: () => ride(finish()) };
    if (filter?.(record) === false) {
      this.#takeAttempts(record);
      return admitted.finish();
    }
    const key = this.#shape.laneOf(record);
    if (maxBatchRecords === 1 || this.#log.isCareful) return this.#give([admitted], key);
    const lane = this.#laneFor(key ?? "");
    const { byteLength } = record.data;
    const before = lane.bytes + byteLength > maxBatchBytes ? this.#flush(lane) : undefined;
    lane.records.push(admitted);
    lane.bytes += byteLength;
    if (lane.records.length >= maxBatchRecords) return this.#flush(lane);
    if (batchWindowMs > 0) lane.timer ??= this.#ports.system.schedule(batchWindowMs, () => this.#windowOver(lane));
    return before;
  }

  #laneFor(key: string): Lane {
    const found = this.#lanes.get(key);
    if (found !== undefined) return found;
    const lane: Lane = { key, records: [], bytes: 0, timer: undefined };
    this.#lanes.set(key, lane);
    return lane;
  }

  #windowOver(lane: Lane): void {
    lane.timer = undefined;
    // A failure is kept by the runner, which ends the loop.
    this.#flush(lane)?.catch(() => undefined);
  }

  #flush(lane: Lane): Promise<void> | undefined {
    const { records } = lane;
    lane.timer?.cancel();
    lane.timer = undefined;
    if (records.length === 0) return undefined;
    lane.records = [];
    lane.bytes = 0;
    return this.#give(records, lane.key);
  }

  async #flushAll(): Promise<void> {
    for (const lane of this.#lanes.values()) await this.#flush(lane);
  }

  /** The calls that were made on this record before. */
  #takeAttempts(record: ConsumedRecord | undefined): number {
    const { madeAt } = this.#log;
    const made = this.#attemptsBefore;
    if (made === 0 || record === undefined) return 0;
    if (madeAt !== undefined && compareCheckpoints(placeOf(record), madeAt) !== 0) return 0;
    this.#attemptsBefore = 0;
    return made;
  }

  #give(records: AdmittedRecord[], key: string | undefined): Promise<void> {
    const group = { records, attemptsBefore: this.#takeAttempts(records[0]?.record) };
    const given = this.#runner.admit(group, key);
    return this.#log.isCareful ? given.then(() => this.#runner.idle()) : given;
  }
}

/** What is done is stored with the lease's next renewal. */
function ride(done: Place | undefined): Promise<void> | undefined {
  return done?.batch.checkpoint(done.record, { durable: false });
}
