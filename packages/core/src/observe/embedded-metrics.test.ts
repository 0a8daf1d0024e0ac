/**
 * Rules of CloudWatch's embedded metric format. Source: CloudWatch user guide, "Specification: Embedded metric format", and
 * the bounds in awslabs/aws-embedded-metrics-node, `Constants.ts`; read 2026-11-22.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { embeddedMetricLines, MetricTree, type MetricScope } from "./metrics.ts";

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
}

type Document = Record<string, unknown> & {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
};

/** Source: CloudWatch API reference, MetricDatum, Unit. */
const units = new Set(["Count", "Bytes", "Milliseconds", "None"]);

/** What a line breaks; empty when it keeps every rule. */
function faultsOf(line: string): string[] {
  const document = JSON.parse(line) as Document;
  const { _aws: metadata, ...members } = document;
  const rules: [holds: boolean, rule: string][] = [
    [!line.includes("\n"), "a document is one line"],
    [Buffer.byteLength(line) <= 256 * 1024, "a document has at most 256 KB"],
    [Object.keys(metadata).toSorted().join() === "CloudWatchMetrics,Timestamp", "the metadata have these two members"],
    [Number.isSafeInteger(metadata.Timestamp) && metadata.Timestamp > 0, "the time is whole milliseconds"],
  ];
  const targets = new Set<string>();
  for (const { Namespace, Dimensions, Metrics } of metadata.CloudWatchMetrics) {
    rules.push(
      [/^[a-zA-Z0-9._#:/-]{1,255}$/.test(Namespace) && !Namespace.startsWith("AWS/"), "the namespace is the user's"],
      [
        Dimensions.every((set) => set.length <= 30 && new Set(set).size === set.length),
        "a set has up to 30, once each",
      ],
      [Metrics.length >= 1 && Metrics.length <= 100, "there are 1 to 100 metrics"],
    );
    for (const name of Dimensions.flat()) {
      targets.add(name);
      const value = members[name];
      rules.push(
        [name.length >= 1 && name.length <= 250, "a dimension's name has 1 to 250 characters"],
        [typeof value === "string" && /^[ -~]{1,1024}$/.test(value), "its target is text, up to 1,024 of ASCII"],
        [typeof value === "string" && value.trim() !== "", "that is not all blank"],
      );
    }
    for (const { Name, Unit } of Metrics) {
      targets.add(Name);
      rules.push(
        [Name.length >= 1 && Name.length <= 1_024, "a metric's name has 1 to 1,024 characters"],
        [units.has(Unit), "a unit is CloudWatch's"],
        [isValue(members[Name]), "a metric's target is a number, or a statistic set"],
      );
    }
  }
  rules.push([Object.keys(members).every((name) => targets.has(name)), "there is no member that nothing points to"]);
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}

function isValue(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  const { Min, Max, Count, Sum } = value as Record<string, number>;
  return [Min, Max, Count, Sum].every(Number.isFinite) && Number(Min) <= Number(Max) && Number(Count) >= 2;
}

const names = ["UserRecordsPut", "RequestTime", "ErrorsByCode", "BufferingTime"] as const;
const texts = fc.oneof(
  fc.constant(undefined),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary" }),
  fc.constant("x".repeat(2_000)),
);
const measurements = fc.array(
  fc.record({
    name: fc.constantFrom(...names),
    unit: fc.constantFrom("Count", "Bytes", "Milliseconds", "None"),
    value: fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9, noNaN: true })),
    samples: fc.integer({ min: 1, max: 500 }),
    scope: fc.record({ errorCode: texts, streamName: texts, shardId: texts }) as fc.Arbitrary<MetricScope>,
  }),
  { minLength: 1, maxLength: 20 },
);

it("writes documents that keep the rules of the format, whatever is measured", () => {
  fc.assert(
    fc.property(measurements, fc.double({ min: 1, max: 4e12, noNaN: true }), (measured, wallMs) => {
      const tree = new MetricTree("shard");
      for (const { name, unit, value, samples, scope } of measured) tree.record(name, unit, value, scope, samples);
      const lines = embeddedMetricLines(tree.take(), "KinesisProducerLibrary", wallMs);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.flatMap(faultsOf)).toEqual([]);
    }),
  );
});

it("writes one sample as a number and several as a statistic set", () => {
  const tree = new MetricTree("global");
  tree.record("AllErrors", "Count", 3, {});
  tree.record("RequestTime", "Milliseconds", 10, {}, 2);
  const documents = embeddedMetricLines(tree.take(), "Mine", 1.7).map((line) => JSON.parse(line) as Document);
  expect(documents).toMatchObject([
    { _aws: { Timestamp: 1 }, AllErrors: 3 },
    { RequestTime: { Min: 10, Max: 10, Count: 2, Sum: 20 } },
  ]);
});

it("finds the faults that it looks for", () => {
  const line = JSON.stringify({
    _aws: { Timestamp: 1.5, CloudWatchMetrics: [{ Namespace: "AWS/Kinesis", Dimensions: [["A"]], Metrics: [] }] },
    A: "",
    B: 1,
  });
  expect(faultsOf(line)).toHaveLength(6);
});
