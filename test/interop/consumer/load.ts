/** Driver. Records that are put for as long as a case lasts, some in aggregates and some alone. */
import type { KinesisPort } from "@millrace/core/kinesis";
import { Producer } from "@millrace/producer";
import { setTimeout as pause } from "node:timers/promises";

const pauseBetweenPutsMs = 40;
const recordsPerPut = 5;

/** Begins at once, and notes the text of each record that is stored. */
export class Load {
  readonly #ended: Promise<void>;
  readonly #stopping = new AbortController();
  #count = 0;

  constructor(kinesis: KinesisPort, streamName: string, stored: Set<string>) {
    this.#ended = this.#put(kinesis, streamName, stored);
    this.#ended.catch(() => undefined);
  }

  async #put(kinesis: KinesisPort, streamName: string, stored: Set<string>): Promise<void> {
    const aggregating = new Producer({ streamName, recordMaxBufferedMs: 50 }, { kinesis });
    const plain = new Producer({ streamName, aggregation: false }, { kinesis });
    const puts: Promise<unknown>[] = [];
    for (let round = 0; !this.#stopping.signal.aborted; round++) {
      const producer = round % 4 === 3 ? plain : aggregating;
      for (let index = 0; index < recordsPerPut; index++) {
        const text = `${streamName}-${this.#count++}`;
        puts.push(producer.put({ partitionKey: text, data: text }).then(() => stored.add(text)));
      }
      await pause(pauseBetweenPutsMs);
    }
    await Promise.all([aggregating.close(), plain.close()]);
    await Promise.all(puts);
  }

  /** Resolves once everything that was put is stored. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }
}
