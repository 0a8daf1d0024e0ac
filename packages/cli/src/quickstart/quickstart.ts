/**
 * Driver. The main job on real lines, in one process: a log is written, rotated and tailed; the agent ships it through
 * the producer into a simulated stream of four shards; two workers read it, and one of them stops in the middle.
 */
import { Agent } from "@millrace/agent";
import { sleep, type System } from "@millrace/core/runtime";
import { listPrices } from "@millrace/simulator";
import { join } from "node:path";

import { serveTraffic } from "../io/access-log.ts";
import { startEmbeddedServices, type EmbeddedServices } from "../io/embedded-services.ts";
import { createScratchFolder, removeScratchFolder } from "../io/scratch-folder.ts";
import { copyLines, LogWriter, type SourceFile } from "../io/source-file.ts";
import { LineLedger } from "./line-ledger.ts";
import type { Progress } from "./progress.ts";
import type { Totals } from "./summary.ts";
import { Worker } from "./worker.ts";

const streamName = "quickstart";
const shardCount = 4;

/** Requests of the embedded web server when no file was named, their pace, and how long it may take to serve them. */
const trafficRequests = 20_000;
const trafficPerSecond = 5000;
const trafficMaxMs = 8000;

/** What the agent may hold: a file is written much faster than four shards take it. */
const agentBufferBytes = 8 * 1024 * 1024;

/** Nothing new has arrived for so long: the rest is not coming, and the run ends with what was lost. */
const stalledAfterMs = 60_000;

export interface QuickstartOptions {
  /** The file to ship; undefined for a live access log. */
  readonly source: SourceFile | undefined;
  readonly system: System;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Runs everything, takes it down again, and gives what was counted. */
export async function runQuickstart(options: QuickstartOptions): Promise<Totals> {
  const folder = await createScratchFolder();
  const services = await startEmbeddedServices();
  try {
    return await new Quickstart(options, services, folder).run();
  } finally {
    await services.close();
    await removeScratchFolder(folder);
  }
}

class Quickstart {
  readonly #options: QuickstartOptions;
  readonly #services: EmbeddedServices;
  readonly #folder: string;
  readonly #ledger = new LineLedger();
  /** Ends everything: the caller's signal, or a part that failed. */
  readonly #failure = new AbortController();
  readonly #signal: AbortSignal;
  #shippedBytes = 0;
  /** Payload units of the same lines, each put alone. */
  #putRecordUnits = 0;
  #isWritten = false;
  #handOver:
    | { readonly stoppedAt: number; readonly shardIds: ReadonlySet<string>; tookMs: number | undefined }
    | undefined;

  constructor(options: QuickstartOptions, services: EmbeddedServices, folder: string) {
    this.#options = options;
    this.#services = services;
    this.#folder = folder;
    this.#signal = AbortSignal.any([options.signal, this.#failure.signal]);
  }

  async run(): Promise<Totals> {
    const { progress, system } = this.#options;
    this.#services.simulator.createStream({ streamName, shardCount });
    progress.say(`a stream of ${shardCount} shards is up, and a lease table`);
    const workers = [this.#startWorker("worker-1"), this.#startWorker("worker-2")] as const;
    try {
      await this.#untilShared(workers);
      const startedAt = system.now();
      await Promise.all([this.#ship(), this.#stopInTheMiddle(workers[0])]);
      await this.#untilDelivered();
      return this.#totals(system.now() - startedAt);
    } finally {
      progress.end();
      await Promise.all(workers.map((worker) => worker.close()));
    }
  }

  #startWorker(workerId: string): Worker {
    return new Worker(workerId, streamName, this.#services, {
      onShard: (shardId) => this.#noteHandOver(shardId),
      onBatch: (shardId, records) => this.#ledger.deliver(shardId, records),
      onFailure: (error) => this.#failure.abort(error),
    });
  }

  /** The workers have shared the shards among them, so that stopping one shows something. */
  async #untilShared(workers: readonly Worker[]): Promise<void> {
    const { progress } = this.#options;
    while (workers.some((worker) => worker.shardIds.size !== shardCount / workers.length)) await this.#tick();
    for (const { workerId, shardIds } of workers) progress.say(`${workerId} reads ${listOf(shardIds)}`);
  }

  /** Writes the log while the agent tails it, and ends when every line is stored in the stream. */
  async #ship(): Promise<void> {
    const { source, progress, system } = this.#options;
    const log = await LogWriter.create(join(this.#folder, "access.log"));
    const agent = new Agent({
      config: {
        maxBufferedBytes: agentBufferBytes,
        flows: [
          {
            filePattern: log.path,
            kinesisStream: streamName,
            initialPosition: "START_OF_FILE",
            aggregation: true,
            maxBufferAgeMillis: 250,
          },
        ],
      },
      positionsPath: join(this.#folder, "positions.db"),
      client: this.#services.kinesis,
    });
    agent.start();
    // The agent has the log open before its first line: nobody could know of a file that was rotated away unseen.
    await agent.catchUp();
    const hooks = {
      onLine: (line: Uint8Array) => {
        this.#ledger.ship(line);
        this.#shippedBytes += line.length;
        this.#putRecordUnits += Math.ceil(line.length / listPrices.payloadUnitBytes);
      },
      onRotate: () => progress.say("the log was rotated: access.log is now access.log.1, and a new access.log grows"),
      signal: this.#signal,
    };
    try {
      await (source === undefined
        ? serveTraffic({
            ...hooks,
            log,
            system,
            requests: trafficRequests,
            requestsPerSecond: trafficPerSecond,
            maxMs: trafficMaxMs,
          })
        : copyLines(source, log, hooks));
      await agent.drain({ signal: this.#signal });
      this.#isWritten = true;
    } finally {
      await log.close();
      await agent.close();
    }
    progress.say("every line is stored in the stream; the agent has stopped");
  }

  /** Stops one worker while there is still much to read: its shards go on elsewhere from their checkpoints. */
  async #stopInTheMiddle(worker: Worker): Promise<void> {
    const { progress, source, system } = this.#options;
    const middle = (source?.lines ?? trafficRequests) / 2;
    while (this.#ledger.linesDelivered < middle && !this.#isAllDelivered) {
      await this.#tick();
      this.#report();
    }
    const shardIds = new Set(worker.shardIds);
    this.#handOver = { stoppedAt: system.now(), shardIds, tookMs: undefined };
    progress.say(`${worker.workerId} stops and hands over ${listOf(shardIds)}`);
    await worker.close();
  }

  #noteHandOver(shardId: string): void {
    const handOver = this.#handOver;
    if (handOver === undefined || handOver.tookMs !== undefined || !handOver.shardIds.has(shardId)) return;
    handOver.tookMs = this.#options.system.now() - handOver.stoppedAt;
    this.#options.progress.say(`worker-2 goes on with ${shardId} after ${Math.round(handOver.tookMs)} ms`);
  }

  /** Waits for the last line, as long as anything arrives. */
  async #untilDelivered(): Promise<void> {
    const { system } = this.#options;
    let delivered = -1;
    let arrivedAt = system.now();
    while (!this.#isAllDelivered) {
      if (this.#ledger.linesDelivered !== delivered) {
        delivered = this.#ledger.linesDelivered;
        arrivedAt = system.now();
      }
      if (system.now() - arrivedAt > stalledAfterMs) return;
      await this.#tick();
      this.#report();
    }
  }

  get #isAllDelivered(): boolean {
    return this.#isWritten && this.#ledger.linesDelivered >= this.#ledger.linesShipped;
  }

  async #tick(): Promise<void> {
    await sleep(this.#options.system, 100, { signal: this.#signal });
  }

  #report(): void {
    const { linesShipped, linesDelivered, deliveredBytes } = this.#ledger;
    const share =
      this.#shippedBytes === 0 ? 0 : (100 * deliveredBytes) / (this.#options.source?.bytes ?? this.#shippedBytes);
    this.#options.progress.update(
      `${linesShipped.toLocaleString("en-US")} lines written, ${linesDelivered.toLocaleString("en-US")} delivered ` +
        `(${share.toFixed(0)} %)`,
    );
  }

  #totals(elapsedMs: number): Totals {
    const { meter } = this.#services.simulator;
    const counts = meter.counts();
    const payload = meter.bill().lines.find((line) => line.item === "PUT payload units");
    return {
      verdict: this.#ledger.verdict(),
      deliveredBytes: this.#ledger.deliveredBytes,
      kinesisRecords: counts.recordsIn,
      putRecordsRequests: counts.calls["PutRecords"] ?? 0,
      elapsedMs,
      handOverMs: this.#handOver?.tookMs,
      putCostUsd: payload?.usd ?? 0,
      putRecordCostUsd: this.#putRecordUnits * listPrices.putPayloadUnit,
    };
  }
}

function listOf(shardIds: ReadonlySet<string>): string {
  if (shardIds.size === 0) return "no shard";
  return [...shardIds].toSorted().join(", ");
}
