/**
 * Driver. Says by a process warning what keeps a consumer from reading, where nobody listens to its events.
 *
 * A consumer goes on trying through missing credentials, an endpoint that is not there and a handler that always throws.
 * Without `onEvent` such a process would look as if there were nothing to read.
 */
import type { EventPublisher } from "@millrace/core/observe";
import type { System } from "@millrace/core/runtime";
import type { ConsumerEvent } from "./events.ts";

/** One line in this time for each kind of trouble. */
const everyMs = 60_000;

interface Trouble {
  count: number;
  nextAt: number;
}

/** The same publisher; what nobody hears is counted, and warned of once a minute. */
export function warnWhereUnheard(
  events: EventPublisher<ConsumerEvent>,
  system: System,
  applicationName: string,
): EventPublisher<ConsumerEvent> {
  const troubles = new Map<ConsumerEvent["type"], Trouble>();
  return {
    get hasListeners() {
      return events.hasListeners;
    },
    publish(event) {
      if (events.hasListeners) {
        events.publish(event);
        return;
      }
      const text = textOf(event);
      if (text === undefined) return;
      const now = system.now();
      const trouble = troubles.get(event.type) ?? { count: 0, nextAt: now };
      troubles.set(event.type, trouble);
      trouble.count++;
      // One throttle or broken connection passes by itself; what repeats is worth telling.
      if (now < trouble.nextAt || (isPassing(event) && trouble.count === 1)) return;
      const times = trouble.count > 1 ? ` (${trouble.count} times)` : "";
      troubles.set(event.type, { count: 0, nextAt: now + everyMs });
      process.emitWarning(`${applicationName}: ${text}${times}. Set onEvent to hear of it.`, {
        code: "MILLRACE_CONSUMER_IN_TROUBLE",
      });
    },
  };
}

function isPassing({ type }: ConsumerEvent): boolean {
  return type === "lease-table-failed" || type === "stream-call-failed" || type === "read-failed";
}

/** What an event of trouble says; undefined for all others. */
function textOf(event: ConsumerEvent): string | undefined {
  switch (event.type) {
    case "lease-table-failed":
      return `the lease table does not answer as it should (${event.operation}): ${event.error}`;
    case "stream-call-failed":
      return `the stream ${event.streamName} does not answer as it should (${event.operation}): ${event.error}`;
    case "read-failed":
      return `the shard ${event.shardId} cannot be read: ${event.error}`;
    case "handler-failed":
      return `the handler of shard ${event.shardId} failed and is called again: ${event.error}`;
    case "handler-left-early":
      return `the handler of shard ${event.shardId} returned with records left, and is called again`;
    case "shard-stopped":
      return `the shard ${event.shardId} is stopped at ${event.sequenceNumber}: ${event.error}`;
    case "records-trimmed":
      return `records of shard ${event.shardId} after ${event.checkpoint} were past the retention before they were read`;
    case "stale-lease":
      return `the lease ${event.leaseKey} is of a stream ${event.streamName} that was deleted and made anew`;
    case "leader-missing":
      return `no worker has led the fleet for ${Math.round(event.waitedMs / 1000)} s; the last was ${event.ownerName}`;
    default:
      return undefined;
  }
}
