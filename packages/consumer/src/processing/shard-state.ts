/**
 * Pure. The life of a shard on the worker that leases it, as a state machine.
 *
 * Source of the phases: kcl.md 4.1, KCL's ConsumerStates. Two differences: a handler that fails is called again from the
 * checkpoint instead of losing its batch, and a shard is over only when its handler has returned, so that two handlers
 * of one shard never run at once in one process.
 */

/** How the shard is to be given up: to the receiver of a hand-off, on the worker's shutdown, or by the handler's wish. */
export type DrainCause = "shutdown" | "hand-off" | "release";

/** Where a shard stands. */
export type ShardState =
  | { readonly phase: "waiting-for-parents" }
  /** The handler runs. `failures` counts its fruitless calls in a row. */
  | { readonly phase: "handling"; readonly failures: number; readonly draining: DrainCause | undefined }
  | { readonly phase: "backing-off"; readonly failures: number }
  /** Children are created and SHARD_END is stored. */
  | { readonly phase: "finishing" }
  | { readonly phase: "releasing"; readonly cause: DrainCause }
  /** The lease is lost; the handler has been told and has not returned. */
  | { readonly phase: "abandoned" }
  | { readonly phase: "over" };

/**
 * How a call of the handler ended:
 * - `finished`: at shard end, with everything delivered and checkpointed.
 * - `drained`: it was asked to end and did.
 * - `unfinished`: it threw, left its loop early, or left records without checkpoint at shard end.
 */
export type HandlerEnding = "finished" | "drained" | "unfinished";

export type ShardEvent =
  | { readonly type: "parents-done" }
  | { readonly type: "handler-ended"; readonly ending: HandlerEnding; readonly progressed: boolean }
  | { readonly type: "backoff-over" }
  | { readonly type: "drain"; readonly cause: DrainCause }
  | { readonly type: "finished" }
  | { readonly type: "released" }
  | { readonly type: "lease-over" };

/** The state after the event. An event that means nothing in a phase leaves it as it is. */
export function stepShard(state: ShardState, event: ShardEvent): ShardState {
  switch (state.phase) {
    case "waiting-for-parents":
      if (event.type === "parents-done") return { phase: "handling", failures: 0, draining: undefined };
      return idleStep(state, event);
    case "handling":
      return handlingStep(state, event);
    case "backing-off":
      if (event.type === "backoff-over") {
        return { phase: "handling", failures: state.failures, draining: undefined };
      }
      return idleStep(state, event);
    case "finishing":
      return event.type === "finished" || event.type === "lease-over" ? { phase: "over" } : state;
    case "releasing":
      return event.type === "released" || event.type === "lease-over" ? { phase: "over" } : state;
    case "abandoned":
      return event.type === "handler-ended" ? { phase: "over" } : state;
    default:
      return state;
  }
}

/** While no handler runs. */
function idleStep(state: ShardState, event: ShardEvent): ShardState {
  if (event.type === "drain") return { phase: "releasing", cause: event.cause };
  return event.type === "lease-over" ? { phase: "over" } : state;
}

function handlingStep(state: Extract<ShardState, { phase: "handling" }>, event: ShardEvent): ShardState {
  switch (event.type) {
    case "drain":
      // A hand-off in the middle of a shutdown changes nothing: the shard is on its way out.
      return state.draining === undefined ? { ...state, draining: event.cause } : state;
    case "lease-over":
      return { phase: "abandoned" };
    case "handler-ended":
      if (event.ending === "finished") return { phase: "finishing" };
      if (state.draining !== undefined) return { phase: "releasing", cause: state.draining };
      return { phase: "backing-off", failures: event.progressed ? 1 : state.failures + 1 };
    default:
      return state;
  }
}
