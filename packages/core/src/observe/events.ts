/**
 * Driver. Hands each event to the user's `onEvent` and to a `node:diagnostics_channel`, and never fails the caller.
 *
 * Events are plain data that survives JSON: numbers of more than 53 bits are strings, errors are described.
 */
import { channel } from "node:diagnostics_channel";

/** Every event has a `type` by which its union is told apart. */
export interface AnyEvent {
  readonly type: string;
}

/** Gives events to whoever listens. */
export interface EventPublisher<Event extends AnyEvent> {
  publish(event: Event): void;
  /** False when nobody listens: a caller on a hot path then need not build the event. */
  readonly hasListeners: boolean;
}

/**
 * A publisher for one object. A listener that throws is reported once by `process.emitWarning`, and never
 * reaches the code that published: an observer must not be able to lose a record.
 * @param channelName the diagnostics channel, such as `millrace:producer`.
 */
export function createEventPublisher<Event extends AnyEvent>(
  channelName: string,
  onEvent: ((event: Event) => void) | undefined,
): EventPublisher<Event> {
  const diagnostics = channel(channelName);
  let warned = false;
  return {
    publish(event) {
      if (onEvent !== undefined) {
        try {
          onEvent(event);
        } catch (error) {
          if (!warned) {
            warned = true;
            process.emitWarning(`${channelName}: onEvent threw on a "${event.type}" event: ${describeError(error)}`, {
              code: "MILLRACE_ON_EVENT_THREW",
            });
          }
        }
      }
      if (diagnostics.hasSubscribers) diagnostics.publish(event);
    },
    get hasListeners() {
      return onEvent !== undefined || diagnostics.hasSubscribers;
    },
  };
}

/** An error in one line for an event or a log: its code or name, and its text. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  return `${typeof code === "string" ? code : error.name}: ${error.message}`;
}
