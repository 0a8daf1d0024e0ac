/**
 * Driver. Makes what is sent from what was read: transforms, keys, and the spans that positions wait for.
 */
import type { AgentEvent, FlowCounters } from "../events.ts";
import type { FlowSettings } from "./flow-settings.ts";
import type { FramedSpan } from "./framing-rules.ts";
import type { PendingSpan } from "./generation.ts";
import { partitionKeyOf } from "./partition-key.ts";
import type { Reading } from "./reader.ts";
import type { Shipment } from "./sender.ts";

export interface LoaderOptions {
  readonly settings: FlowSettings;
  readonly host: string;
  readonly random: () => number;
  readonly counters: FlowCounters;
  readonly publish: (event: AgentEvent) => void;
}

/** Loads shipments in the order of reading. */
export class Loader {
  readonly #options: LoaderOptions;
  #order = 0;

  constructor(options: LoaderOptions) {
    this.#options = options;
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
      const record = span.data === undefined ? undefined : this.#record(span.data, generation.path);
      if (record === undefined) open.settled = true;
      else shipments.push({ record, span: open, order: this.#order++ });
    }
    counters.recordsRead += shipments.length;
    counters.bytesRead += startBytes - reading.startBytes;
    for (const span of pending) generation.mark.open(span);
    generation.isDirty = true;
    return shipments;
  }

  #record(data: Uint8Array, path: string): Shipment["record"] | undefined {
    const { counters, host, random, settings } = this.#options;
    const transformed = settings.transform === undefined ? data : settings.transform(data, { path, host });
    if (transformed === undefined) {
      counters.recordsFiltered += 1;
      return undefined;
    }
    const partitionKey = partitionKeyOf(settings.partitionKey, { data: transformed, path, host }, random);
    return { data: transformed, partitionKey };
  }

  #countLongLine(span: FramedSpan, { endBytes, generation }: PendingSpan): void {
    if (span.skipped !== "long-line" && !span.truncated) return;
    const { counters, publish, settings } = this.#options;
    counters.longLines += 1;
    publish({ type: "long-line", flow: settings.id, path: generation.path, endBytes });
  }
}
