/**
 * Driver. DescribeAccountSettings and UpdateAccountSettings: the throughput commitment ("On-demand Advantage").
 *
 * Source: type docs of both in `@aws-sdk/client-kinesis` 3.1143.0: at least 24 hours; asked to end earlier, it ends
 * when they are over.
 */
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Inputs } from "./inputs.ts";

const shortestCommitmentMs = 24 * 3_600_000;

export function describeAccountSettings(state: ServiceState): ServiceOutput {
  const { startedMs, endsMs } = state.commitment;
  if (startedMs === undefined) {
    return {
      MinimumThroughputBillingCommitment: {
        Status: "DISABLED",
        ...(endsMs === undefined ? {} : { EndedAt: new Date(endsMs) }),
      },
    };
  }
  return {
    MinimumThroughputBillingCommitment: {
      Status: endsMs === undefined ? "ENABLED" : "ENABLED_UNTIL_EARLIEST_ALLOWED_END",
      StartedAt: new Date(startedMs),
      EarliestAllowedEndAt: new Date(startedMs + shortestCommitmentMs),
    },
  };
}

export function updateAccountSettings(
  state: ServiceState,
  input: InputOf<Inputs["UpdateAccountSettings"]>,
): ServiceOutput {
  const { commitment } = state;
  const wallMs = state.clock.wallMs();
  if (input.MinimumThroughputBillingCommitment.Status === "ENABLED") {
    commitment.startedMs ??= wallMs;
    commitment.endsMs = undefined;
    state.meter.advantage = true;
  } else if (commitment.startedMs !== undefined) {
    const endsMs = Math.max(wallMs, commitment.startedMs + shortestCommitmentMs);
    commitment.endsMs = endsMs;
    if (endsMs === wallMs) endCommitment(state, endsMs);
    else state.clock.schedule(endsMs - wallMs, () => endCommitment(state, endsMs));
  }
  return describeAccountSettings(state);
}

/** Unless it was renewed in the meantime. */
function endCommitment(state: ServiceState, endsMs: number): void {
  if (state.commitment.endsMs !== endsMs) return;
  state.commitment.startedMs = undefined;
  state.meter.advantage = false;
}
