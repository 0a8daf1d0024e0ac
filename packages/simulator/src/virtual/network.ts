/**
 * Driver. A network between the hosts of a timeline: requests take time, get lost, arrive twice, and stop at
 * partitions.
 */
import { KinesisError, type Answer, type CallOptions, type KinesisPort } from "@millrace/core/kinesis";
import type { VirtualHost } from "./host.ts";
import type { Timeline } from "./timeline.ts";

/** How the network behaves from now on. Shares are 0 to 1. */
export interface NetworkConditions {
  /** Shortest way from host to host, in milliseconds. */
  readonly minDelayMs: number;
  /** What is added to it on average; single ways take up to ten times as long. */
  readonly meanExtraDelayMs: number;
  /** Share of requests that never arrive, and of answers that never come back. */
  readonly loss: number;
  /** Share of requests that arrive twice. */
  readonly duplication: number;
  /** After this long without an answer the caller learns that the connection broke, in milliseconds. */
  readonly timeoutMs: number;
}

const calm: NetworkConditions = {
  minDelayMs: 1,
  meanExtraDelayMs: 2,
  loss: 0,
  duplication: 0,
  timeoutMs: 6_000,
};

/** A request that got no answer. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code = "ECONNRESET";
}

/** The network of one timeline. */
export class Network {
  readonly #timeline: Timeline;
  readonly #partitions = new Set<string>();
  #conditions: NetworkConditions = calm;

  constructor(timeline: Timeline, conditions: Partial<NetworkConditions> = {}) {
    this.#timeline = timeline;
    this.#conditions = { ...calm, ...conditions };
  }

  /** The conditions in force. */
  get conditions(): NetworkConditions {
    return this.#conditions;
  }

  /** Changes some of the conditions; those that are left out stay. */
  change(conditions: Partial<NetworkConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions };
  }

  /** Cuts the way between two hosts, both ways. */
  partition(a: VirtualHost, b: VirtualHost): void {
    this.#partitions.add(pairOf(a, b));
    this.#timeline.note("network", `partition ${pairOf(a, b)}`);
  }

  /** Ends one partition, or all. */
  heal(a?: VirtualHost, b?: VirtualHost): void {
    if (a === undefined || b === undefined) this.#partitions.clear();
    else this.#partitions.delete(pairOf(a, b));
    this.#timeline.note("network", "heal");
  }

  /**
   * Runs `serve` on the host `to` and brings what it came to back to `from`.
   * @throws {NetworkError} when no answer came in time; `serve` may have run nevertheless.
   */
  request<T>(from: VirtualHost, to: VirtualHost, serve: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { timeoutMs, loss, duplication } = this.#conditions;
    const random = this.#timeline.random;
    // A caller that died does not get its answer in its next life.
    const { life } = from;
    return new Promise<T>((resolve, reject) => {
      const timeout = this.#timeline.schedule(
        from,
        timeoutMs,
        () => reject(new NetworkError(`no answer from ${to.name} in ${timeoutMs} ms`)),
        "timeout",
      );
      const answer = (deliver: () => void) => {
        if (from.life !== life || this.#isCut(from, to) || random.chance(loss)) return;
        this.#deliver(from, `answer from ${to.name}`, () => {
          timeout.cancel();
          deliver();
        });
      };
      const arrive = () => {
        serve().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      };
      signal?.addEventListener(
        "abort",
        () => {
          timeout.cancel();
          reject(signal.reason as Error);
        },
        { once: true },
      );
      if (this.#isCut(from, to) || random.chance(loss)) return;
      this.#deliver(to, `request from ${from.name}`, arrive);
      if (random.chance(duplication)) this.#deliver(to, `request from ${from.name}, again`, arrive);
    });
  }

  #deliver(to: VirtualHost, what: string, callback: () => void): void {
    const { minDelayMs, meanExtraDelayMs } = this.#conditions;
    const delayMs = minDelayMs + this.#timeline.random.wait(meanExtraDelayMs);
    this.#timeline.schedule(to, delayMs, callback, what);
  }

  #isCut(a: VirtualHost, b: VirtualHost): boolean {
    return this.#partitions.has(pairOf(a, b));
  }
}

function pairOf(a: VirtualHost, b: VirtualHost): string {
  return [a.name, b.name].toSorted().join(" | ");
}

/**
 * A Kinesis that stands on the host `to`, as the code on `from` sees it: each call goes over the network, and one
 * that got no answer is a failure of kind `transient` that may have taken effect.
 */
export function kinesisOver(network: Network, from: VirtualHost, to: VirtualHost, kinesis: KinesisPort): KinesisPort {
  async function call<T>(options: CallOptions | undefined, serve: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const signal = options?.signal;
    try {
      return await network.request(from, to, serve, signal);
    } catch (error) {
      const aborted = signal?.aborted === true;
      return {
        ok: false,
        error: new KinesisError({
          code: aborted ? "AbortError" : "ECONNRESET",
          message: (error as Error).message,
          kind: aborted ? "aborted" : "transient",
          mayHaveTakenEffect: true,
          cause: error,
        }),
      };
    }
  }
  // What is under way belongs to the wire: the caller may use its bytes again once it has given up.
  return {
    putRecords: (request, options) => {
      const records = request.records.map((record) => ({ ...record, data: record.data.slice() }));
      return call(options, () => kinesis.putRecords({ ...request, records }));
    },
    getShardIterator: (request, options) => call(options, () => kinesis.getShardIterator(request)),
    getRecords: (request, options) => call(options, () => kinesis.getRecords(request)),
    listShards: (request, options) => call(options, () => kinesis.listShards(request)),
    describeStreamSummary: (request, options) => call(options, () => kinesis.describeStreamSummary(request)),
  };
}
