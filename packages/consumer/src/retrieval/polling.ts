/**
 * Driver. Reads a shard with GetRecords, ahead of its handler as far as the bytes allow.
 *
 * Source: kcl.md 5.1 and 5.3, kinesis-service.md 1.2. Iterators that expire are renewed from the last record seen, and
 * LATEST is a time that stays (SPEC S2), so a renewal skips nothing.
 */
import type { Answer, KinesisError } from "@millrace/core/kinesis";
import { answerWithin } from "./answer-within.ts";
import { nextPoll, type Pace, type PollOutcome } from "./pace.ts";
import type { ShardChunk, ShardReader } from "./shard-reader.ts";
import { ShardReading, type ShardReadingOptions } from "./shard-reading.ts";

const failureBackoff = { initialMs: 200, maxMs: 10_000 };
/** An iterator lives 5 minutes; one that was kept while the handler was busy is better renewed before. */
const iteratorLifeMs = 280_000;
/** Source: kinesis-service.md 1.2. */
const largestAnswerBytes = 10 * 1024 * 1024;
const smallestAnswerBytes = 65_536;

export interface PollingOptions extends ShardReadingOptions {
  readonly pollIntervalMs: number;
  readonly maxRecordsPerCall: number;
}

/** A reader that polls. It begins to fetch at once. */
export class PollingReader implements ShardReader {
  readonly #options: PollingOptions;
  readonly #reading: ShardReading;
  #iterator: { readonly text: string; readonly since: number } | undefined;
  #pace: Pace;
  /** What the next answer may take. */
  #expectedBytes = largestAnswerBytes;

  constructor(options: PollingOptions) {
    this.#options = options;
    this.#pace = { tipIntervalMs: options.pollIntervalMs, throttles: 0 };
    this.#reading = new ShardReading(options, failureBackoff);
    this.#reading.start(() => this.#fetch());
  }

  get bufferedBytes(): number {
    return this.#reading.bufferedBytes;
  }

  next(signal: AbortSignal): Promise<ShardChunk> {
    return this.#reading.next(signal);
  }

  stop(): Promise<void> {
    return this.#reading.stop();
  }

  async #fetch(): Promise<number> {
    const { system } = this.#options;
    await this.#reading.room(this.#expectedBytes);
    if (this.#reading.isOver) return 0;
    const startedAt = system.now();
    const known = this.#iterator;
    const isFresh = known !== undefined && startedAt - known.since < iteratorLifeMs;
    const intervalMs = isFresh ? await this.#poll(known.text) : await this.#askForIterator();
    return startedAt + intervalMs - system.now();
  }

  /** Asks for an iterator; gives the time until the next call. */
  async #askForIterator(): Promise<number> {
    const { kinesis, stream, shardId } = this.#options;
    const { position } = this.#reading;
    const answer = await this.#call((signal) => kinesis.getShardIterator({ ...stream, shardId, position }, { signal }));
    if (this.#reading.isOver) return 0;
    if (!answer.ok) return this.#failed("GetShardIterator", answer.error);
    this.#iterator = { text: answer.value.shardIterator, since: this.#options.system.now() };
    return 0;
  }

  /** One GetRecords call; gives the time until the next. */
  async #poll(shardIterator: string): Promise<number> {
    const { kinesis, stream, maxRecordsPerCall } = this.#options;
    const answer = await this.#call((signal) =>
      kinesis.getRecords({ shardIterator, limit: maxRecordsPerCall, streamArn: stream.streamArn }, { signal }),
    );
    if (this.#reading.isOver) return 0;
    if (!answer.ok) return this.#failed("GetRecords", answer.error);
    const { records, millisBehindLatest, nextShardIterator, childShards } = answer.value;
    const bytes = this.#reading.take(records, millisBehindLatest);
    this.#expectedBytes = Math.min(largestAnswerBytes, 2 * bytes + smallestAnswerBytes);
    if (nextShardIterator === undefined) {
      // Without an iterator the place is asked for again, unless this is the shard's end.
      this.#iterator = undefined;
      return this.#reading.end(childShards);
    }
    this.#iterator = { text: nextShardIterator, since: this.#options.system.now() };
    return this.#intervalAfter({ type: "records", bytes, millisBehindLatest });
  }

  async #call<T>(call: (signal: AbortSignal) => Promise<Answer<T>>): Promise<Answer<T>> {
    const abort = new AbortController();
    const { signal } = this.#reading;
    const stop = (): void => abort.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await answerWithin(this.#options.system, abort, call);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #failed(operation: string, error: KinesisError): Promise<number> {
    if (error.kind === "throttle") return this.#intervalAfter({ type: "throttled", bytes: 0, millisBehindLatest: 0 });
    this.#iterator = undefined;
    // One that expired is replaced at once; a service that gives no other kind is not asked in a spin.
    if (error.code === "ExpiredIteratorException" && this.#reading.failures === 0) {
      this.#reading.countFailure();
      return 0;
    }
    return this.#reading.failed(operation, error);
  }

  #intervalAfter(outcome: PollOutcome): number {
    const { pace, intervalMs } = nextPoll(this.#pace, outcome, this.#options.system.random());
    this.#pace = pace;
    return intervalMs;
  }
}
