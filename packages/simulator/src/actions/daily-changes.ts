/**
 * Driver. Changes of a stream that are limited in a rolling 24 hours.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceState } from "../service-state.ts";
import type { Stream } from "../stream.ts";

const dayMs = 24 * 3_600_000;

/**
 * Notes one more change in `history`.
 * @throws {ServiceError} LimitExceededException when there were `max` in the last 24 hours.
 */
export function takeDailyChange(
  state: ServiceState,
  history: number[],
  max: number,
  action: string,
  stream: Stream,
): void {
  const nowMs = state.clock.steadyMs();
  const recent = history.filter((atMs) => nowMs - atMs < dayMs);
  if (recent.length >= max) {
    throw new ServiceError(
      "LimitExceededException",
      `${action} was called ${recent.length} times for stream ${stream.streamName} under account ${state.accountId} ` +
        "in the last 24 hours, the most there may be.",
    );
  }
  history.splice(0, history.length, ...recent, nowMs);
}
