// @millrace/core/observe

export interface AnyEvent {
    readonly type: string;
}

export interface EventPublisher<Event extends AnyEvent> {
    publish(event: Event): void;
    readonly hasListeners: boolean;
}

export declare function createEventPublisher<Event extends AnyEvent>(channelName: string, onEvent: ((event: Event) => void) | undefined): EventPublisher<Event>;

export declare function describeError(error: unknown): string;
