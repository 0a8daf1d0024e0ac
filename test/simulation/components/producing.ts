/**
 * Driver. A program that puts records through a producer, as bursts with pauses in between, for as long as it lives.
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { sleep, type System } from "@millrace/core/runtime";
import { BufferFullError, Producer, PutError, type ProducerOptions, type ProducerWiring } from "@millrace/producer";
import type { VirtualHost } from "@millrace/simulator";
import type { Component, RunningComponent } from "../world/component.ts";
import { writePayload } from "../world/payload.ts";
import type { World } from "../world/world.ts";
import type { Ledger, PutEntry } from "./ledger.ts";

export interface Load {
  /** Different partition keys. */
  readonly keys: number;
  readonly minRecordBytes: number;
  readonly maxRecordBytes: number;
  /** Records of a burst at most. */
  readonly burstRecords: number;
  readonly meanPauseMs: number;
}

export interface ProducingOptions {
  readonly name: string;
  readonly load: Load;
  readonly ledger: Ledger;
  readonly producer: ProducerOptions;
}

export class Producing implements Component {
  readonly name: string;
  readonly options: ProducingOptions;
  /** The producer of the life that is under way. */
  current: Producer | undefined;
  /** Calls that the producer has under way. */
  inFlight = 0;
  #lives = 0;

  constructor(options: ProducingOptions) {
    this.name = options.name;
    this.options = options;
  }

  start(world: World, host: VirtualHost): RunningComponent {
    const life = ++this.#lives;
    const kinesis = world.kinesisFor(host);
    this.inFlight = 0;
    const counted: typeof kinesis = {
      ...kinesis,
      putRecords: async (request, options) => {
        this.inFlight++;
        try {
          return await kinesis.putRecords(request, options);
        } finally {
          this.inFlight--;
        }
      },
    };
    const { system } = host;
    const producer = new Producer(this.options.producer, { kinesis: counted, system, compress: compressIn(system) });
    this.current = producer;
    const abort = new AbortController();
    const pending = new Set<PutEntry>();
    const loop = this.#put({ world, producer, system, pending, prefix: `${this.name}.${life}`, abort });
    return {
      stop: async () => {
        abort.abort();
        await loop;
        await producer.close();
        this.current = undefined;
      },
      killed: () => {
        this.current = undefined;
        for (const entry of pending) this.options.ledger.settle(entry, { kind: "abandoned" });
        pending.clear();
      },
    };
  }

  async #put(run: {
    readonly world: World;
    readonly producer: Producer;
    readonly system: System;
    readonly pending: Set<PutEntry>;
    readonly prefix: string;
    readonly abort: AbortController;
  }): Promise<void> {
    const { producer, system, abort } = run;
    const { load } = this.options;
    let count = 0;
    while (!abort.signal.aborted) {
      await producer.ready();
      const burst = 1 + Math.floor(system.random() * load.burstRecords);
      for (let record = 0; record < burst; record++) this.#putOne(run, `${run.prefix}.${++count}`);
      await sleep(system, 1 + system.random() * 2 * load.meanPauseMs, { signal: abort.signal }).catch(() => {});
    }
  }

  #putOne(
    run: {
      readonly world: World;
      readonly producer: Producer;
      readonly system: System;
      readonly pending: Set<PutEntry>;
    },
    id: string,
  ): void {
    const { system, pending, world } = run;
    const { load, ledger } = this.options;
    const bytes = load.minRecordBytes + Math.floor(system.random() * (load.maxRecordBytes - load.minRecordBytes + 1));
    const entry: PutEntry = {
      id,
      partitionKey: `key-${Math.floor(system.random() * load.keys)}`,
      bytes,
      putAtMs: world.timeline.nowMs,
      fate: { kind: "pending" },
    };
    ledger.add(entry);
    pending.add(entry);
    const settle = (fate: PutEntry["fate"]) => {
      // A life that was ended from outside learns nothing any more.
      if (pending.delete(entry)) ledger.settle(entry, fate);
    };
    void (async () => {
      try {
        const result = await run.producer.put({ partitionKey: entry.partitionKey, data: writePayload(id, bytes) });
        const { shardId, sequenceNumber, subSequenceNumber } = result;
        settle({ kind: "acknowledged", shardId, sequenceNumber, subSequenceNumber });
      } catch (error) {
        if (error instanceof BufferFullError) {
          settle({ kind: "refused" });
          return;
        }
        if (!(error instanceof PutError)) throw error;
        settle({ kind: "failed", code: error.code, mayHaveBeenStored: error.mayHaveBeenStored });
      }
    })();
  }
}

/** Compression that takes the world's time, as a busy thread would. */
function compressIn(system: System): NonNullable<ProducerWiring["compress"]> {
  return async (bytes, algorithm) => {
    await sleep(system, system.random() * 30);
    return algorithm === "gzip" ? gzipSync(bytes) : zstdCompressSync(bytes);
  };
}
