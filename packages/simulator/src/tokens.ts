/**
 * Pure. Shard iterators and page tokens: opaque text that only the service that made it can read.
 */
import { hash } from "node:crypto";

/** Where an iterator stands. */
export interface IteratorPlace {
  readonly streamArn: string;
  /** Tells a stream from an earlier one of the same name. */
  readonly streamCreatedMs: number;
  readonly shardId: string;
  /** Counter of the next record to read. */
  readonly counter: number;
  /** When it was made, on the steady clock; -Infinity in an earlier run of the service. */
  readonly madeMs: number;
}

/** Where a page of a list goes on. */
export interface PagePlace {
  readonly list: string;
  /** What the list is of: a stream's ARN. */
  readonly of: string;
  readonly after: string;
  /** What else the list was asked for. */
  readonly query: string;
  readonly madeMs: number;
}

/** Seals and opens tokens. */
export class TokenSeal {
  /** Differs from service to service, so that none reads another's tokens. */
  readonly secret: string;
  /** Which run of the service this is. The steady clock begins anew with each, and an earlier run's tokens are old. */
  readonly run: number;

  constructor(secret: string, run = 1) {
    this.secret = secret;
    this.run = run;
  }

  sealIterator(place: IteratorPlace): string {
    return this.#seal([place.streamArn, place.streamCreatedMs, place.shardId, place.counter, place.madeMs, this.run]);
  }

  /** Undefined when the text is no iterator of this service. */
  openIterator(token: string): IteratorPlace | undefined {
    const fields = this.#open(token);
    if (fields === undefined) return undefined;
    const [streamArn, streamCreatedMs, shardId, counter, madeMs, run] = fields;
    if (
      typeof streamArn !== "string" ||
      typeof streamCreatedMs !== "number" ||
      typeof shardId !== "string" ||
      typeof counter !== "number" ||
      typeof madeMs !== "number"
    ) {
      return undefined;
    }
    return { streamArn, streamCreatedMs, shardId, counter, madeMs: run === this.run ? madeMs : -Infinity };
  }

  sealPage(place: PagePlace): string {
    return this.#seal(["page", place.list, place.of, place.after, place.query, place.madeMs, this.run]);
  }

  /** Undefined when the text is no page token of this service. */
  openPage(token: string): PagePlace | undefined {
    const fields = this.#open(token);
    if (fields === undefined) return undefined;
    const [kind, list, of, after, query, madeMs, run] = fields;
    if (
      kind !== "page" ||
      typeof list !== "string" ||
      typeof of !== "string" ||
      typeof after !== "string" ||
      typeof query !== "string" ||
      typeof madeMs !== "number"
    ) {
      return undefined;
    }
    return { list, of, after, query, madeMs: run === this.run ? madeMs : -Infinity };
  }

  #seal(fields: readonly unknown[]): string {
    const payload = JSON.stringify(fields);
    return Buffer.from(this.#sign(payload) + payload, "utf8").toString("base64");
  }

  #open(token: string): unknown[] | undefined {
    const bytes = Buffer.from(token, "base64");
    // Buffer reads much that is not base64; what does not come out the same was not ours.
    if (bytes.toString("base64") !== token) return undefined;
    const content = bytes.toString("utf8");
    const payload = content.slice(16);
    if (content.slice(0, 16) !== this.#sign(payload)) return undefined;
    return JSON.parse(payload) as unknown[];
  }

  #sign(payload: string): string {
    return hash("md5", this.secret + payload, "hex").slice(0, 16);
  }
}
