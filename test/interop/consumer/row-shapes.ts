/** Driver. Both sides make the same rows: each side alone is held against one list of attributes and their types. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { isDeepStrictEqual } from "node:util";
import type { FleetCase } from "./fleet-case.ts";
import { begin, called, finish, startMs } from "./steps.ts";
import type { RawRow } from "./tables.ts";
import type { Side } from "./worker-lines.ts";

const lease =
  "checkpoint S, checkpointSubSequenceNumber N, endingHashKey S, entityType S, leaseCounter N, leaseKey S, " +
  "leaseOwner S, ownerSwitchesSinceCheckpoint N, startingHashKey S, throughputKBps N";

/** What a lone worker leaves in the table once it has read a shard that was split, and its children. */
const expected = [
  `LEASE: childShardIds SS, ${lease}`,
  `LEASE: parentShardId SS, ${lease}`,
  `LEASE: parentShardId SS, ${lease}`,
  "LEADER: entityType S, leaseDuration S, leaseKey S, ownerName S, recordVersionNumber S",
  "CLIENT_VERSION_MIGRATION: cv S, entityType S, h L(M(cv S and mb S and mts N)), leaseKey S, mb S, mts N",
  "WORKER_METRIC_STATS: entityType S, leaseKey S, lut N, opr M(C L(N)), slu N, sts M(C L(N)), sup N",
].map(sortNames);

/** Attributes and their types. Those of our own are left out: KCL keeps and ignores them. */
function shapeOf(row: RawRow): string {
  const names = Object.entries(row).map(([name, value]) => `${name} ${typeOf(value)}`);
  const shared = names.filter((name) => !name.startsWith("millrace"));
  return sortNames(`${row["entityType"]?.S}: ${shared.join(", ")}`);
}

/** The type of a value, of the attributes of a map, and of the first member of a list. */
function typeOf(value: AttributeValue): string {
  if (value.L !== undefined) return `L(${value.L[0] === undefined ? "" : typeOf(value.L[0])})`;
  if (value.M === undefined) return String(Object.keys(value)[0]);
  const names = Object.entries(value.M).map(([name, member]) => `${name} ${typeOf(member)}`);
  return `M(${names.toSorted().join(" and ")})`;
}

function sortNames(shape: string): string {
  const [type, names = ""] = shape.split(": ");
  return `${type}: ${names.split(", ").toSorted().join(", ")}`;
}

export function rowsOf(side: Side): FleetCase {
  return {
    name: `${side}-rows`,
    title: `${called[side]} alone writes the rows that the other side expects`,
    shardCount: 1,
    exactlyOnce: true,
    async run(fleet) {
      await begin(fleet, side, 1, { reportsCpu: true });
      const isMeasured = async (): Promise<boolean> => (await fleet.rows()).some((row) => "throughputKBps" in row);
      await fleet.until("the throughput is written", startMs, isMeasured);
      fleet.split(fleet.shardsRead(0));
      await fleet.until("the children are read", startMs, () => fleet.shardsRead(0).size === 3);
      await finish(fleet);
      const shapes = async (): Promise<readonly string[]> => (await fleet.rows()).map(shapeOf).toSorted();
      const isAsExpected = async (): Promise<boolean> => isDeepStrictEqual(await shapes(), expected.toSorted());
      await fleet.until("the rows are as expected", 15_000, isAsExpected).catch(async () => {
        throw new Error(`expected\n${expected.toSorted().join("\n")}\ngot\n${(await shapes()).join("\n")}`);
      });
    },
  };
}
