/** Pure. Aggregates put together with protobufjs, by a way other than the encoder under test. */
import { createHash } from "node:crypto";
import { AggregatedRecord } from "../generated/aggregated-record.ts";
import type * as types from "../generated/aggregated-record-types.ts";
import type { UserRecord } from "../record.ts";

/** The protobuf bytes between magic and digest. */
export function frame(message: Uint8Array): Buffer {
  const digest = createHash("md5").update(message).digest();
  return Buffer.concat([Buffer.from("f3899ac2", "hex"), message, digest]);
}

/** An aggregate with exactly the given tables and records. */
export function encodeMessage(message: types.AggregatedRecord.$Properties): Buffer {
  return frame(AggregatedRecord.encode(message).finish());
}

/** The aggregate of `records` as protobufjs writes it, keys in first-seen order. */
export function encodeWithProtobufjs(records: readonly UserRecord[]): Buffer {
  const partitionKeys = new Set<string>(records.map((record) => record.partitionKey));
  const hashKeys = new Set<string>();
  for (const { explicitHashKey } of records) if (explicitHashKey !== undefined) hashKeys.add(decimal(explicitHashKey));
  const partitionKeyTable = [...partitionKeys];
  const explicitHashKeyTable = [...hashKeys];
  const partitionKeyIndexes = new Map(partitionKeyTable.map((key, index) => [key, index]));
  const hashKeyIndexes = new Map(explicitHashKeyTable.map((key, index) => [key, index]));
  const members = records.map((record) => {
    const member: types.Record.$Properties = {
      partitionKeyIndex: partitionKeyIndexes.get(record.partitionKey) ?? -1,
      data: typeof record.data === "string" ? Buffer.from(record.data, "utf8") : record.data,
      tags: Object.entries(record.tags ?? {}).map(([key, value]) => ({ key, value })),
    };
    if (record.explicitHashKey !== undefined) {
      member.explicitHashKeyIndex = hashKeyIndexes.get(decimal(record.explicitHashKey)) ?? -1;
    }
    return member;
  });
  return encodeMessage({ partitionKeyTable, explicitHashKeyTable, records: members });
}

function decimal(hashKey: bigint | string): string {
  return BigInt(hashKey.toString().replace("+", "")).toString();
}
