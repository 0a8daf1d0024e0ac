/**
 * Pure. The events to come, earliest first; those of one time in the order they were added.
 */
export interface TimedEvent {
  readonly atMs: number;
  /** Rises from event to event. */
  readonly order: number;
}

export class EventHeap<Event extends TimedEvent> {
  readonly #events: Event[] = [];

  get size(): number {
    return this.#events.length;
  }

  peek(): Event | undefined {
    return this.#events[0];
  }

  push(event: Event): void {
    const events = this.#events;
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent];
      if (above === undefined || isBefore(above, event)) break;
      events[index] = above;
      events[parent] = event;
      index = parent;
    }
  }

  pop(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = events[child];
      if (left === undefined) break;
      const right = events[child + 1];
      if (right !== undefined && isBefore(right, left)) child++;
      const below = events[child];
      if (below === undefined || isBefore(last, below)) break;
      events[index] = below;
      index = child;
    }
    events[index] = last;
    return first;
  }
}

function isBefore(a: TimedEvent, b: TimedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
