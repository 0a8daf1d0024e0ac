/**
 * Driver. The faults in force, and what they do to a call.
 *
 * A call meets its faults in the order they were made: some end it before it takes effect, some come with it, some
 * take its answer.
 */
import { parseHashKey, hashPartitionKey } from "../hash-key.ts";
import type { ActionName } from "../actions/action-names.ts";
import type { EntryVerdict } from "../actions/put.ts";
import { ServiceError, WireFault } from "../service-error.ts";
import type { CallContext, ServiceInput, ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { Stream } from "../stream.ts";
import { Subscription } from "../subscription.ts";
import { Fault, type FaultedCall, type FaultOptions } from "./fault.ts";
import { reshardAtRandom, splitFullestShard } from "./reshard-faults.ts";

/** Actions whose throttle is the throughput's of a shard; the others have a rate of calls. */
const dataActions: ReadonlySet<ActionName> = new Set<ActionName>([
  "GetRecords",
  "GetShardIterator",
  "PutRecord",
  "PutRecords",
]);

export class FaultBook {
  readonly #state: ServiceState;
  readonly #faults = new Set<Fault>();
  readonly #waiting = new Set<() => void>();

  constructor(state: ServiceState) {
    this.#state = state;
  }

  /** False while no fault is in force. */
  get hasAny(): boolean {
    return this.#faults.size > 0;
  }

  add(options: FaultOptions): Fault {
    const fault = new Fault(options);
    this.#faults.add(fault);
    return fault;
  }

  /** Ends every fault, and lets what hangs or is slow go on. */
  clear(): void {
    for (const fault of this.#faults) fault.stop();
    this.#faults.clear();
    for (const release of this.#waiting) release();
  }

  /** Carries out a call under the faults in force. */
  async run(
    action: ActionName,
    input: ServiceInput,
    context: CallContext,
    answer: (verdict: EntryVerdict | undefined) => ServiceOutput,
  ): Promise<ServiceOutput> {
    const call = this.#describe(action, input);
    const after: Fault[] = [];
    const random = () => this.#state.clock.random();
    for (const fault of this.#faults) {
      if (fault.isOver) this.#faults.delete(fault);
      if (isForEntries(fault, action) || !fault.fits(call) || !fault.strikes(random)) continue;
      if (await this.#strikeBefore(fault, call, context)) after.push(fault);
    }
    const output = answer(this.#verdict(call));
    return after.reduce((result, fault) => strikeAfter(fault, input, result), output);
  }

  /** Does what comes before the call; true when there is something to do to its answer. */
  async #strikeBefore(fault: Fault, call: FaultedCall, context: CallContext): Promise<boolean> {
    const { kind, delayMs = 1000, jumpMs = 60_000, statusCode, body } = fault.options;
    const { clock } = this.#state;
    switch (kind) {
      case "throttle":
        throw throttleOf(call.action);
      case "internal-failure":
        throw new ServiceError("InternalFailure", "Internal service failure.", 500);
      case "service-unavailable":
        throw new ServiceError("ServiceUnavailable", "Service unavailable.", 503);
      case "kms-throttle":
        throw new ServiceError("KMSThrottlingException", "The request was denied due to request throttling of KMS.");
      case "expired-iterator":
        throw new ServiceError("ExpiredIteratorException", "Iterator expired.");
      case "reset":
        throw new WireFault({ kind: "reset", tookEffect: false });
      case "non-json-body":
        throw new WireFault({
          kind: "raw-body",
          tookEffect: false,
          ...(statusCode === undefined ? {} : { statusCode }),
          ...(body === undefined ? {} : { body }),
        });
      case "slow":
        if ((await this.#wait(context.signal, delayMs)) !== "caller-gone") return false;
        throw new WireFault({ kind: "reset", tookEffect: false });
      case "hang":
        await this.#wait(context.signal, undefined);
        throw new WireFault({ kind: "reset", tookEffect: false });
      case "clock-jump":
        clock.jump(jumpMs);
        return false;
      case "reshard":
      case "auto-split":
        this.#reshard(kind, call);
        return false;
      default:
        return true;
    }
  }

  #reshard(kind: "reshard" | "auto-split", call: FaultedCall): void {
    const stream = this.#state.streams.get(call.streamName ?? "");
    if (stream === undefined) return;
    if (kind === "reshard") reshardAtRandom(stream, this.#state.moment(), () => this.#state.clock.random());
    else splitFullestShard(stream, this.#state.moment());
    this.#state.updateRent(stream);
  }

  /** Waits for as long as was ordered, without an order for ever; faults that are cleared and callers that go end it. */
  #wait(signal: AbortSignal | undefined, delayMs: number | undefined): Promise<"over" | "caller-gone"> {
    return new Promise((resolve) => {
      const release = () => {
        this.#waiting.delete(release);
        timer?.cancel();
        signal?.removeEventListener("abort", release);
        resolve(signal?.aborted === true ? "caller-gone" : "over");
      };
      const timer = delayMs === undefined ? undefined : this.#state.clock.schedule(delayMs, release);
      this.#waiting.add(release);
      signal?.addEventListener("abort", release, { once: true });
      if (signal?.aborted === true) release();
    });
  }

  /** The verdict on entries of a PutRecords call; undefined when no fault concerns them. */
  #verdict(call: FaultedCall): EntryVerdict | undefined {
    const faults = [...this.#faults].filter((fault) => isForEntries(fault, call.action) && fault.concerns(call));
    if (faults.length === 0) return undefined;
    return (shardId) => {
      for (const fault of faults) {
        const { shardId: only, kind } = fault.options;
        if (only !== undefined && only !== shardId) continue;
        if (!fault.strikes(() => this.#state.clock.random())) continue;
        return kind === "throttle" ? "ProvisionedThroughputExceededException" : "InternalFailure";
      }
      return undefined;
    };
  }

  #describe(action: ActionName, input: ServiceInput): FaultedCall {
    const state = this.#state;
    const iterator = action === "GetRecords" ? state.seal.openIterator(input["ShardIterator"] as string) : undefined;
    const arn = (iterator?.streamArn ?? input["StreamARN"] ?? input["ConsumerARN"] ?? input["ResourceARN"]) as
      | string
      | undefined;
    const fromArn = arn?.split(":stream/")[1]?.split("/")[0];
    const streamName = (input["StreamName"] as string | undefined) ?? fromArn;
    const stream = state.streams.get(streamName ?? "");
    return {
      action,
      streamName,
      shardIds: () => {
        if (iterator !== undefined) return new Set([iterator.shardId]);
        const named = input["ShardId"] ?? input["ShardToSplit"] ?? input["ShardToMerge"];
        if (typeof named === "string") return new Set([named]);
        return stream === undefined ? new Set() : routedShards(stream, input);
      },
    };
  }
}

/** The shards that the records of a call go to. */
function routedShards(stream: Stream, input: ServiceInput): ReadonlySet<string> {
  const entries = (input["Records"] ?? [input]) as { PartitionKey?: string; ExplicitHashKey?: string }[];
  return new Set(
    entries.map(({ PartitionKey: key, ExplicitHashKey: hashKey }) => {
      const place = hashKey === undefined ? hashPartitionKey(key ?? "") : parseHashKey(hashKey, "ExplicitHashKey");
      return stream.shardAt(place).shardId;
    }),
  );
}

/** PutRecords is struck entry by entry where the service fails it so. */
function isForEntries(fault: Fault, action: ActionName): boolean {
  const { kind } = fault.options;
  return action === "PutRecords" && (kind === "throttle" || kind === "partial-failure");
}

function throttleOf(action: ActionName): ServiceError {
  return dataActions.has(action)
    ? new ServiceError("ProvisionedThroughputExceededException", "Rate exceeded for shard, by an ordered fault.")
    : new ServiceError("LimitExceededException", `Rate exceeded for ${action}, by an ordered fault.`);
}

/** What a fault makes of an answer. */
function strikeAfter(fault: Fault, input: ServiceInput, output: ServiceOutput): ServiceOutput {
  const { kind, events = 1 } = fault.options;
  if (kind === "answer-lost") throw new WireFault({ kind: "reset", tookEffect: true });
  if (kind === "empty-answer") {
    // The same place again: nothing was read.
    const NextShardIterator = input["ShardIterator"];
    return { Records: [], NextShardIterator, MillisBehindLatest: output["MillisBehindLatest"] };
  }
  const subscription = output["EventStream"];
  if (subscription instanceof Subscription) {
    const isTakeover = kind === "takeover";
    subscription.failAfter(
      events,
      isTakeover
        ? new ServiceError("ResourceInUseException", "Another subscription took over, by an ordered fault.")
        : new WireFault({ kind: "truncate", tookEffect: true }),
    );
  }
  return output;
}
