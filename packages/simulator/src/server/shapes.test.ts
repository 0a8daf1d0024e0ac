import * as sdk from "@aws-sdk/client-kinesis";
import { expect, test } from "vitest";
import { actionNames } from "../actions/action-names.ts";
import { actionInputs } from "./shapes.ts";
import type { Shape } from "./shapes.ts";

// The SDK's schemas: numbers are scalars, with 64 added for a list and 128 for a map of them; arrays are
// [kind, namespace, name, traits, ...] with kinds 1 list, 2 map, 3 structure and 9 operation.
const scalars: Record<number, string> = { 0: "string", 1: "integer", 2: "boolean", 4: "timestamp", 21: "blob" };

function describeSchema(schema: unknown): unknown {
  if (typeof schema === "function") return describeSchema(schema());
  if (typeof schema === "number") {
    if ((schema & 64) !== 0) return [describeSchema(schema & ~64)];
    if ((schema & 128) !== 0) return { "*": describeSchema(schema & ~128) };
    return scalars[schema];
  }
  const parts = schema as [number, string, string, unknown, unknown, unknown];
  switch (parts[0]) {
    case 0:
      return describeSchema(parts[4]);
    case 1:
      return [describeSchema(parts[4])];
    case 2:
      return { "*": describeSchema(parts[5]) };
    default: {
      const members = parts[5] as unknown[];
      return Object.fromEntries(
        (parts[4] as string[]).map((name, index) => [name, describeSchema(member(members[index]))]),
      );
    }
  }
}

/** A member with traits of its own stands in a pair with them. */
function member(schema: unknown): unknown {
  return Array.isArray(schema) && typeof schema[0] !== "number" ? schema[0] : schema;
}

function describeShape(shape: Shape): unknown {
  switch (shape.type) {
    case "list":
      return [describeShape(shape.member)];
    case "map":
      return { "*": describeShape(shape.value) };
    case "structure":
      return Object.fromEntries([...shape.fields].map(([name, field]) => [name, describeShape(field)]));
    default:
      return shape.type;
  }
}

test("every action's input has the fields and types of the SDK's", () => {
  const operations = sdk as unknown as Record<string, unknown[] | undefined>;
  for (const [action, shape] of actionInputs) {
    expect({ action, input: describeShape(shape) }).toEqual({
      action,
      input: describeSchema(operations[`${action}$`]?.[4]),
    });
  }
});

test("the wire knows exactly the actions that the service executes", () => {
  expect([...actionInputs.keys()].toSorted()).toEqual([...actionNames].toSorted());
});
