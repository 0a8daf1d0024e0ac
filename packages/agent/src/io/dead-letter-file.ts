/**
 * Adapter. Keeps records that the destination will never accept: one JSON line each, on disk when the write resolves.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { DeadLetters, Shipment } from "../flow/shipment.ts";

/** Appends to `<directory>/<flow>.jsonl`, which is made with the first record. */
export class DeadLetterFile implements DeadLetters {
  readonly #directory: string;
  readonly #flow: string;
  readonly #system: System;
  #handle: Promise<FileHandle> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(directory: string, flow: string, system: System) {
    this.#directory = directory;
    this.#flow = flow;
    this.#system = system;
  }

  /** One after the other: two appends at once could interleave. */
  write(shipment: Shipment, error: unknown): Promise<void> {
    const written = this.#last.then(() => this.#append(shipment, error));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    await (await this.#handle)?.close();
  }

  async #append(shipment: Shipment, error: unknown): Promise<void> {
    const { record, span } = shipment;
    const line = JSON.stringify({
      time: new Date(this.#system.wallNow()).toISOString(),
      flow: this.#flow,
      path: span.generation.path,
      startBytes: span.startBytes,
      endBytes: span.endBytes,
      error: describeError(error),
      partitionKey: record.partitionKey,
      data: Buffer.from(record.data.buffer, record.data.byteOffset, record.data.byteLength).toString("base64"),
    });
    this.#handle ??= this.#open();
    try {
      const handle = await this.#handle;
      await handle.appendFile(`${line}\n`);
      await handle.datasync();
    } catch (writeError) {
      this.#handle = undefined;
      throw writeError;
    }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#directory, { recursive: true });
    return open(join(this.#directory, `${this.#flow.replaceAll(/[^\w.-]+/g, "_").slice(0, 200)}.jsonl`), "a", 0o600);
  }
}
