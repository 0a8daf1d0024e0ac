/**
 * Pure. A clock without fractions: numbers that are not whole cost an allocation in each field that they are stored in, and
 * a record has five times.
 */
import type { System } from "@millrace/core/runtime";

/** The same system, with `now` rounded down to a millisecond. */
export function inWholeMilliseconds(system: System): System {
  return {
    now: () => Math.floor(system.now()),
    wallNow: () => system.wallNow(),
    schedule: (delayMs, callback, options) => system.schedule(delayMs, callback, options),
    random: () => system.random(),
    uuid: () => system.uuid(),
    breathe: () => system.breathe(),
  };
}
