export { createEventPublisher, describeError } from "./events.ts";
export type { AnyEvent, EventPublisher } from "./events.ts";
