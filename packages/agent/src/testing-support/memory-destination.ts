/**
 * Driver. A working destination in memory, with the faults that a test asks for.
 */
import type { Destination, OutgoingRecord } from "../destination.ts";

/** What comes of a put: stored, or rejected with the error. */
export type Fate = Error | undefined;

export class MemoryDestination implements Destination {
  /** What was stored, in the order in which it was. */
  readonly stored: OutgoingRecord[] = [];
  /** Decides over each put. */
  fateOf: (record: OutgoingRecord, put: number) => Fate | Promise<Fate> = () => undefined;
  puts = 0;

  get lines(): readonly string[] {
    return this.stored.map((record) => Buffer.from(record.data).toString("utf8"));
  }

  async put(record: OutgoingRecord): Promise<unknown> {
    this.puts += 1;
    const data = record.data.slice();
    const fate = await this.fateOf(record, this.puts);
    if (fate !== undefined) throw fate;
    this.stored.push({ ...record, data });
    return undefined;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A failure as the producer gives it. */
export class ScopedError extends Error {
  override readonly name = "PutError";
  readonly scope: "record" | "stream" | "lifetime";

  constructor(scope: "record" | "stream" | "lifetime", message = `refused for its ${scope}`) {
    super(message);
    this.scope = scope;
  }
}
