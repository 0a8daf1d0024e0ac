/**
 * Pure. A fault that a test orders: what goes wrong, for which calls, and how often.
 */
import { checkOptionNames, ConfigError, integerOption, nearestName } from "@millrace/core/options";
import { isActionName, actionNames, type ActionName } from "../actions/action-names.ts";

/**
 * What goes wrong.
 * - `throttle`: the answer of a shard without throughput; PutRecords refuses single entries with it.
 * - `partial-failure`: single entries of PutRecords fail with InternalFailure.
 * - `internal-failure`: InternalFailure with status 500, nothing is done.
 * - `service-unavailable`: ServiceUnavailable with status 503, nothing is done.
 * - `kms-throttle`: KMSThrottlingException, nothing is done.
 * - `non-json-body`: an answer with `statusCode` and `body` as a proxy sends it, nothing is done.
 * - `answer-lost`: the call takes effect and the connection breaks before its answer.
 * - `reset`: the connection breaks, nothing is done.
 * - `slow`: the call takes `delayMs` longer.
 * - `hang`: no answer ever comes; the call ends with its caller's patience.
 * - `empty-answer`: GetRecords returns nothing although there is something, as it may.
 * - `expired-iterator`: GetRecords refuses its iterator.
 * - `truncated-event-stream`: a subscription breaks in the middle of a frame, after `events` events.
 * - `takeover`: a subscription ends with ResourceInUseException, after `events` events.
 * - `clock-jump`: the service's wall clock moves by `jumpMs` before the call.
 * - `reshard`: before the call a random shard of its stream is split, or merged with its neighbour.
 * - `auto-split`: before the call the fullest shard of its on-demand stream is split, as the service does.
 */
export const faultKinds = [
  "throttle",
  "partial-failure",
  "internal-failure",
  "service-unavailable",
  "kms-throttle",
  "non-json-body",
  "answer-lost",
  "reset",
  "slow",
  "hang",
  "empty-answer",
  "expired-iterator",
  "truncated-event-stream",
  "takeover",
  "clock-jump",
  "reshard",
  "auto-split",
] as const;

/** What goes wrong; see `faultKinds`. */
export type FaultKind = (typeof faultKinds)[number];

/** A fault to order. Without `rate`, `count` and `script` it strikes every call that it fits. */
export interface FaultOptions {
  /** What goes wrong. */
  readonly kind: FaultKind;
  /** The calls it can strike. @default all that a fault of this kind can strike */
  readonly action?: ActionName | readonly ActionName[] | undefined;
  /** Only calls about this stream. @default every stream */
  readonly streamName?: string | undefined;
  /** Only calls about this shard; of a PutRecords call, only its entries for this shard. @default every shard */
  readonly shardId?: string | undefined;
  /** Share of the calls (for `throttle` and `partial-failure` of PutRecords: of the entries) that are struck, 0 to 1. @default 1 */
  readonly rate?: number | undefined;
  /** Strikes at most; then the fault is over. @default no bound */
  readonly count?: number | undefined;
  /** One character for each call that it fits, `x` for a strike: `"..x.x"`. Over at its end. @default none */
  readonly script?: string | undefined;
  /** For `slow`: 0 to 3,600,000. @default 1000 */
  readonly delayMs?: number | undefined;
  /** For `clock-jump`; negative goes back. @default 60000 */
  readonly jumpMs?: number | undefined;
  /** For `truncated-event-stream` and `takeover`: events that are delivered before it, 0 or more. @default 1 */
  readonly events?: number | undefined;
  /** For `non-json-body`: 200 to 599. @default 502 */
  readonly statusCode?: number | undefined;
  /** For `non-json-body`. @default a proxy's page in HTML */
  readonly body?: string | undefined;
}

const optionNames: readonly (keyof FaultOptions)[] = [
  "kind",
  "action",
  "streamName",
  "shardId",
  "rate",
  "count",
  "script",
  "delayMs",
  "jumpMs",
  "events",
  "statusCode",
  "body",
];

/** Kinds that only some actions can suffer. */
const onlyFor: { readonly [K in FaultKind]?: readonly ActionName[] } = {
  "partial-failure": ["PutRecords"],
  "kms-throttle": ["PutRecord", "PutRecords", "GetRecords"],
  "empty-answer": ["GetRecords"],
  "expired-iterator": ["GetRecords"],
  "truncated-event-stream": ["SubscribeToShard"],
  takeover: ["SubscribeToShard"],
};

/** A call as a fault looks at it. */
export interface FaultedCall {
  readonly action: ActionName;
  readonly streamName: string | undefined;
  /** The shards it is about; asked for only when a fault names a shard. */
  readonly shardIds: () => ReadonlySet<string>;
}

/** A fault that was ordered. */
export class Fault {
  /** What was ordered. */
  readonly options: FaultOptions;
  readonly #actions: ReadonlySet<ActionName>;
  #looked = 0;
  #struck = 0;
  #isStopped = false;

  /** @throws {ConfigError} for an order that cannot be. */
  constructor(options: FaultOptions) {
    checkFaultOptions(options);
    this.options = options;
    const able = onlyFor[options.kind] ?? actionNames;
    const asked = options.action === undefined ? able : [options.action].flat();
    const unable = asked.find((action) => !able.includes(action));
    if (unable !== undefined) {
      throw new ConfigError({ path: "fault.action", got: unable, expected: `one of ${able.join(", ")}` });
    }
    this.#actions = new Set(asked);
  }

  /** How often it has struck. */
  get struck(): number {
    return this.#struck;
  }

  /** True when it will not strike again. */
  get isOver(): boolean {
    const { count = Infinity, script } = this.options;
    return this.#isStopped || this.#struck >= count || (script !== undefined && this.#looked >= script.length);
  }

  /** Ends it; idempotent. */
  stop(): void {
    this.#isStopped = true;
  }

  /** True when it can strike this call, or some of its entries. @internal */
  concerns(call: FaultedCall): boolean {
    const { streamName } = this.options;
    if (this.isOver || !this.#actions.has(call.action)) return false;
    return streamName === undefined || streamName === call.streamName;
  }

  /** True when it can strike this call as a whole. @internal */
  fits(call: FaultedCall): boolean {
    const { shardId } = this.options;
    return this.concerns(call) && (shardId === undefined || call.shardIds().has(shardId));
  }

  /** True when it strikes now; `random` is from [0, 1). @internal */
  strikes(random: () => number): boolean {
    if (this.isOver) return false;
    const { rate = 1, script } = this.options;
    const look = this.#looked++;
    const hit = script === undefined ? rate >= 1 || random() < rate : script[look] === "x";
    if (hit) this.#struck++;
    return hit;
  }
}

function checkFaultOptions(options: FaultOptions): void {
  checkOptionNames("fault", options, optionNames);
  const kind: unknown = options.kind;
  if (!faultKinds.includes(options.kind)) {
    const near = typeof kind !== "string" ? undefined : nearestName(kind, faultKinds);
    throw new ConfigError({
      path: "fault.kind",
      got: options.kind,
      expected: "the kind of a fault",
      hint: near === undefined ? `Known: ${faultKinds.join(", ")}.` : `Did you mean ${near}?`,
    });
  }
  for (const action of options.action === undefined ? [] : [options.action].flat()) {
    if (!isActionName(action)) throw new ConfigError({ path: "fault.action", got: action, expected: "an action" });
  }
  const { rate, script, jumpMs } = options;
  if (rate !== undefined && !(typeof rate === "number" && rate >= 0 && rate <= 1)) {
    throw new ConfigError({ path: "fault.rate", got: rate, expected: "a share from 0 to 1" });
  }
  if (script !== undefined && (typeof script !== "string" || !/^[.x]+$/.test(script))) {
    throw new ConfigError({ path: "fault.script", got: script, expected: "a text of '.' and 'x'" });
  }
  if (jumpMs !== undefined && !Number.isFinite(jumpMs)) {
    throw new ConfigError({ path: "fault.jumpMs", got: jumpMs, expected: "milliseconds" });
  }
  integerOption("fault.count", options.count, { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: 1 });
  integerOption("fault.delayMs", options.delayMs, { min: 0, max: 3_600_000, fallback: 1000 });
  integerOption("fault.events", options.events, { min: 0, max: 1_000_000, fallback: 1 });
  integerOption("fault.statusCode", options.statusCode, { min: 200, max: 599, fallback: 502 });
}
