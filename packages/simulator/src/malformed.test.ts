import * as fc from "fast-check";
import { expect, test } from "vitest";
import { actionNames } from "./actions/action-names.ts";
import { inputs } from "./actions/inputs.ts";
import { ServiceError } from "./service-error.ts";
import type { Shape } from "./shapes/shape.ts";
import { StillSimulator } from "./testing-support/still-simulator.ts";

/** Values that a member of this shape may get: mostly fitting, sometimes anything at all. */
function valuesFor(shape: Shape): fc.Arbitrary<unknown> {
  const anything = fc.oneof(fc.anything(), fc.constantFrom(null, "", 0, -1, 2 ** 31, Number.NaN, new Uint8Array(3)));
  return fc.oneof({ weight: 9, arbitrary: fitting(shape) }, { weight: 1, arbitrary: anything });
}

function fitting(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case "text":
      if (shape.values !== undefined) return fc.constantFrom(...shape.values);
      return fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 300 }));
    case "integer":
      return fc.oneof(fc.integer({ min: -1, max: 20 }), fc.integer());
    case "flag":
      return fc.boolean();
    case "time":
      return fc.date();
    case "blob":
      return fc.uint8Array({ maxLength: 50 });
    case "list":
      return fc.array(valuesFor(shape.member), { maxLength: 4 });
    case "map":
      return fc.dictionary(fc.string({ maxLength: 20 }), valuesFor(shape.value), { maxKeys: 4 });
    default:
      return structures(shape.fields);
  }
}

function structures(fields: Readonly<Record<string, { readonly shape: Shape }>>): fc.Arbitrary<unknown> {
  const members = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, valuesFor(field.shape)]));
  return fc.record(members, { requiredKeys: [] });
}

const arn = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks";
const words = [
  "clicks",
  arn,
  `${arn}/consumer/reader:1767225600`,
  "shardId-000000000000",
  "shardId-000000000001",
  "0",
  "170141183460469231731687303715884105728",
  "99999999999999999999999999999999999999",
  "49650000000000000000000000000000000000000000000000000000",
];

test(
  "whatever an input holds, an action answers or refuses, and the service goes on",
  { timeout: 60_000 },
  async () => {
    const calls = fc
      .constantFrom(...actionNames)
      .chain((action) => fc.tuple(fc.constant(action), structures(inputs[action].fields)));
    const crashes: unknown[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 1, maxLength: 15 }), async (sequence) => {
        const simulator = new StillSimulator({ transitionMs: 0, limits: { controlCallsPerSecond: false } });
        const { streamArn } = simulator.createStream({ streamName: "clicks", shardCount: 2 });
        await simulator.consumer(streamArn);
        for (const [action, input] of sequence) {
          const failure = await simulator.call(action, input as Record<string, unknown>).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (failure !== undefined && !(failure instanceof ServiceError)) crashes.push(failure);
        }
        await simulator.close();
        return crashes.length === 0;
      }),
      { numRuns: 400 },
    );
    expect(crashes).toEqual([]);
  },
);
