/**
 * Driver. Makes what is sent from what was read: transforms, keys, and the spans that positions wait for.
 */
import type { AgentEvent, FlowCounters } from "../events.ts";
import type { InstanceFields } from "../transform/ec2.ts";
import type { FlowSettings } from "./flow-settings.ts";
import type { FramedSpan } from "./framing-rules.ts";
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
    const shipments: Shipment[] = [];
    const pending: PendingSpan[] = [];
    let startBytes = reading.startBytes;
    for (const [index, span] of spans.entries()) {
      const open: PendingSpan = {
        generation,
        chunk,
        startBytes,
        endBytes: span.endBytes,
        framing: span.state,
        closesChunk: index === spans.length - 1,
        settled: false,
      };
      startBytes = span.endBytes;
      pending.push(open);
      this.#countLongLine(span, open);
      const loaded = span.data === undefined ? undefined : this.#load(span.data, generation.path);
      if (loaded === undefined) open.settled = true;
      else shipments.push({ ...loaded, span: open, order: this.#order++ });
    }
    counters.recordsRead += shipments.length;
    counters.bytesRead += startBytes - reading.startBytes;
    for (const span of pending) generation.mark.open(span);
    generation.isDirty = true;
    return shipments;
  }

  #load(data: Uint8Array, path: string): Pick<Shipment, "record" | "unfit"> | undefined {
    const { counters, host, random, settings, wallNow } = this.#options;
    const { onParseError, partitionKey, transform } = settings;
    let transformed = data;
    let unfit: TransformError | undefined;
    try {
      if (transform !== undefined) {
        transformed = transform(data, { path, host, wallNowMs: wallNow(), instance: this.#instance });
        counters.recordsTransformed += 1;
      }
    } catch (error) {
      if (!(error instanceof TransformError)) throw error;
      counters.recordsUnparsed += 1;
      if (onParseError === "drop") {
        counters.recordsFiltered += 1;
        return undefined;
      }
      if (onParseError === "deadLetter") unfit = error;
    }
    const key = partitionKeyOf(partitionKey, { data: transformed, path, host }, random);
    return { record: { data: transformed, partitionKey: key }, unfit };
  }

  #countLongLine(span: FramedSpan, { endBytes, generation }: PendingSpan): void {
    if (span.skipped !== "long-line" && !span.truncated) return;
    const { counters, publish, settings } = this.#options;
    counters.longLines += 1;
    publish({ type: "long-line", flow: settings.id, path: generation.path, endBytes });
  }
}
