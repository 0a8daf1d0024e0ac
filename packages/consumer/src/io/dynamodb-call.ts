/**
 * Pure. How a call to DynamoDB is made: once, and ended by a signal.
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Row } from "../leases/table-row.ts";
import type { TableCallOptions } from "../leases/lease-table.ts";

/** A command that the SDK must not repeat on its own: the lease protocol settles unknown outcomes itself (SPEC S7). */
export function once<C extends { middlewareStack: { add(...args: never[]): void } }>(command: C): C {
  const add = command.middlewareStack.add.bind(command.middlewareStack) as (
    middleware: (next: unknown) => unknown,
    options: Record<string, unknown>,
  ) => void;
  add((next) => next, { name: "retryMiddleware", step: "finalizeRequest", priority: "high", override: true });
  return command;
}

/** The SDK's option for a signal. */
export function abortOf(options: TableCallOptions): { abortSignal?: AbortSignal } {
  return options.signal === undefined ? {} : { abortSignal: options.signal };
}

/** A row in the types of the SDK. */
export type RawItem = Record<string, AttributeValue>;

/** A row as the SDK gives it. */
export function asRow(item: RawItem | undefined): Row | undefined {
  return item as Row | undefined;
}

/** The SDK's types want mutable values; ours are the same shapes, read-only. */
export function withRawValues<P extends { ExpressionAttributeValues?: unknown }>(
  parts: P,
): Omit<P, "ExpressionAttributeValues"> & { ExpressionAttributeValues?: RawItem } {
  return parts as Omit<P, "ExpressionAttributeValues"> & { ExpressionAttributeValues?: RawItem };
}

/** Every call says what it cost, indexes included. */
export const askCost = { ReturnConsumedCapacity: "TOTAL" } as const;

/** What is used of the answer to a write. */
export interface WriteAnswer {
  readonly Attributes?: RawItem | undefined;
  readonly ConsumedCapacity?: { readonly CapacityUnits?: number | undefined } | undefined;
}
