/**
 * Driver. Makes what is sent from what was read: transforms, keys, and the spans that positions wait for.
 */
import type { AgentEvent, FlowCounters } from "../events.ts";
import type { InstanceFields } from "../transform/ec2.ts";
import type { FlowSettings } from "./flow-settings.ts";
import type { PendingSpan } from "./generation.ts";
import { partitionKeyOf } from "./partition-key.ts";
import type { Reading } from "./reader.ts";
import { TransformError } from "../transform/transform.ts";
import type { Shipment } from "./shipment.ts";

export interface LoaderOptions {
  readonly settings: FlowSettings;
  readonly host: string;
  readonly random: () => number;
  readonly wallNow: () => number;
  readonly counters: FlowCounters;
  readonly publish: (event: AgentEvent) => void;
  /** What the host is, no older than asked for. */
  readonly askInstance: (ttlMs: number) => Promise<InstanceFields | undefined>;
}

/** Loads shipments in the order of reading. */
export class Loader {
  readonly #options: LoaderOptions;
  #order = 0;
  #instance: InstanceFields | undefined;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** Resolves when what the transforms ask for besides the record is there. */
  async prepare(): Promise<void> {
    const { askInstance, settings } = this.#options;
    if (settings.instanceTtlMs !== undefined) this.#instance = await askInstance(settings.instanceTtlMs);
  }

  /** Opens the spans of a reading, and gives those that have a record to send. */
  load(reading: Reading): Shipment[] {
    const { counters } = this.#options;
    const { generation, chunk, spans } = reading;
    const { mark, path } = generation;
    const shipments: Shipment[] = [];
    const pending: PendingSpan[] = [];
    let startBytes = reading.startBytes;
    // Millions of lines a second pass here: one object for each that outlives it, and none besides.
    for (const span of spans) {
      const { endBytes } = span;
      const closesChunk = pending.length === spans.length - 1;
      const open: PendingSpan = {
        generation,
        chunk,
        startBytes,
        endBytes,
        framing: span.state,
        closesChunk,
        settled: false,
      };
      startBytes = endBytes;
      pending.push(open);
      if (span.truncated || span.skipped === "long-line") this.#countLongLine(open);
      const shipment = span.data === undefined ? undefined : this.#load(span.data, path, open);
      if (shipment === undefined) open.settled = true;
      else shipments.push(shipment);
    }
    counters.recordsRead += shipments.length;
    counters.bytesRead += startBytes - reading.startBytes;
    for (const span of pending) mark.open(span);
    generation.isDirty = true;
    return shipments;
  }

  /** Undefined for a record that no rule wants. */
  #load(data: Uint8Array, path: string, span: PendingSpan): Shipment | undefined {
    const { host, settings } = this.#options;
    const { transform } = settings;
    if (transform === undefined) return this.#shipment(data, path, span, undefined);
    const { counters, wallNow } = this.#options;
    try {
      const transformed = transform(data, { path, host, wallNowMs: wallNow(), instance: this.#instance });
      counters.recordsTransformed += 1;
      return this.#shipment(transformed, path, span, undefined);
    } catch (error) {
      if (!(error instanceof TransformError)) throw error;
      counters.recordsUnparsed += 1;
      if (settings.onParseError !== "drop") {
        return this.#shipment(data, path, span, settings.onParseError === "deadLetter" ? error : undefined);
      }
      counters.recordsFiltered += 1;
      return undefined;
    }
  }

  #shipment(data: Uint8Array, path: string, span: PendingSpan, unfit: Error | undefined): Shipment {
    const { host, random, settings } = this.#options;
    const partitionKey = partitionKeyOf(settings.partitionKey, { data, path, host }, random);
    return { record: { data, partitionKey }, span, unfit, order: this.#order++ };
  }

  #countLongLine({ endBytes, generation }: PendingSpan): void {
    const { counters, publish, settings } = this.#options;
    counters.longLines += 1;
    publish({ type: "long-line", flow: settings.id, path: generation.path, endBytes });
  }
}
