/**
 * Driver. KCL's five callbacks as a shard handler, for people who come from there.
 *
 * Source: kcl.md 4.1 and 4.2. Differences on purpose: a processor whose `processRecords` throws is made anew and gets
 * the batch again, where KCL skips it; `checkpoint()` covers what was handed over before the batch in hand and the batch
 * itself, as in KCL, so call it after the work.
 */
import { checkpointsThrough } from "../checkpoint/batch-checkpoint.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { LeaseLostError } from "../errors.ts";
import type {
  ConsumedRecord,
  LeasedShard,
  PendingCheckpoint,
  PreparedCheckpoint,
  RecordBatch,
  ShardHandler,
} from "../record.ts";

/** Stores how far the processor is. */
export interface ProcessorCheckpointer {
  /**
   * Stores that everything up to and including `upTo` is done; by default everything handed over so far. `upTo` may be
   * of an earlier batch; a place before the last stored one is covered already.
   * @throws {LeaseLostError} when the shard belongs to another worker by now.
   * @throws {RangeError} when `upTo` was not handed over yet.
   */
  checkpoint(upTo?: ConsumedRecord): Promise<void>;
  /**
   * The first half of a two-phase checkpoint, with bytes of the application's own: a successor gets both in `initialize`.
   * @throws {LeaseLostError} when the shard belongs to another worker by now.
   * @throws {RangeError} when `upTo` was not handed over yet, or nothing was.
   */
  prepareCheckpoint(
    upTo?: ConsumedRecord,
    options?: { readonly state?: Uint8Array | undefined },
  ): Promise<PreparedCheckpoint>;
}

/** KCL's record processor. Callbacks of one processor never overlap. */
export interface RecordProcessor {
  /** Called once, before the first records. */
  initialize?(input: {
    readonly shardId: string;
    readonly checkpoint: Checkpoint;
    /** What a former owner prepared and did not finish. */
    readonly pendingCheckpoint: PendingCheckpoint | undefined;
  }): Promise<void>;
  /** Called for each batch. */
  processRecords(input: {
    readonly records: readonly ConsumedRecord[];
    readonly millisBehindLatest: number;
    readonly checkpointer: ProcessorCheckpointer;
  }): Promise<void>;
  /** The shard belongs to another worker; nothing can be stored any more. */
  leaseLost?(): Promise<void>;
  /** Everything was handed over: checkpoint, or it is called again. */
  shardEnded?(input: { readonly checkpointer: ProcessorCheckpointer }): Promise<void>;
  /** The worker is closing, or the shard is to move: the last chance to checkpoint. */
  shutdownRequested?(input: { readonly checkpointer: ProcessorCheckpointer }): Promise<void>;
}

/**
 * A handler for `Consumer.run` out of a factory of record processors; one is made for each call of the handler.
 *
 * @example
 * await consumer.run(fromRecordProcessor(() => new ClickProcessor()));
 */
export function fromRecordProcessor(create: () => RecordProcessor): ShardHandler {
  return async (shard) => {
    const processor = create();
    let last: RecordBatch | undefined;
    const checkpointer: ProcessorCheckpointer = {
      async checkpoint(upTo) {
        if (last !== undefined) await checkpointsThrough(last).checkpoint(upTo);
      },
      async prepareCheckpoint(upTo, options) {
        if (last === undefined) throw new RangeError(`${shard.shardId}: nothing was handed over yet`);
        return checkpointsThrough(last).prepareCheckpoint(upTo, options);
      },
    };
    try {
      const { shardId, startedFrom, pendingCheckpoint } = shard;
      await processor.initialize?.({ shardId, checkpoint: startedFrom, pendingCheckpoint });
      for await (const batch of shard) {
        last = batch;
        const { records, millisBehindLatest } = batch;
        await processor.processRecords({ records, millisBehindLatest, checkpointer });
      }
    } catch (error) {
      if (!shard.signal.aborted && !(error instanceof LeaseLostError)) throw error;
    }
    await end(processor, shard, checkpointer);
  };
}

async function end(processor: RecordProcessor, shard: LeasedShard, checkpointer: ProcessorCheckpointer): Promise<void> {
  if (shard.signal.aborted) await processor.leaseLost?.();
  else if (shard.endedBy === "shard-end") await processor.shardEnded?.({ checkpointer });
  else if (shard.endedBy === "shutdown") await processor.shutdownRequested?.({ checkpointer });
}
