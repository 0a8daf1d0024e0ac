/**
 * Driver. What a shard of the consumer's bench answers: about 2 MB of records, as JSON and as CBOR.
 */
import { Aggregator } from "@millrace/aggregation";
import { encodeCbor } from "../../../packages/core/src/kinesis/cbor-write.ts";

/** How the records are. */
export interface Shape {
  readonly dataBytes: number;
  readonly isAggregated: boolean;
}

/** Answers in both formats: the same records, under places that come after those of the answer before. */
export interface ReadingAnswer {
  readonly json: () => Buffer;
  readonly cbor: () => Buffer;
  readonly userRecords: number;
}

const answerBytes = 2_000_000;
/** What every sequence number begins with; nothing in the payloads does. Behind it stand the answer's count and a record's. */
const sequencePrefix = "496000000000000000000000";
const countDigits = 12;
/** Of one linger's traffic into one shard: many keys, each seen a few times. */
const distinctKeys = 1_000;

export function readingAnswer(shape: Shape): ReadingAnswer {
  const inputs = Array.from({ length: Math.round(answerBytes / shape.dataBytes) }, (_, index) => ({
    partitionKey: `key-${String(index % distinctKeys).padStart(12, "0")}`,
    data: payload(shape.dataBytes, index),
  }));
  const records = shape.isAggregated ? aggregatesOf(inputs) : inputs;
  const placed = records.map(({ partitionKey, data }, index) => ({
    SequenceNumber: sequencePrefix + "0".repeat(countDigits) + String(index).padStart(20, "0"),
    ApproximateArrivalTimestamp: 1_700_000_000 + index / 1_000,
    Data: data,
    PartitionKey: partitionKey,
  }));
  const rest = { NextShardIterator: "i".repeat(200), MillisBehindLatest: 1_000 };
  return {
    json: renumbered(Buffer.from(JSON.stringify({ Records: placed, ...rest }, base64InJson))),
    cbor: renumbered(encodeCbor({ Records: placed, ...rest })),
    userRecords: inputs.length,
  };
}

/** Gives copies of an answer, each with a higher count in its sequence numbers: a consumer leaves out what it has read. */
function renumbered(answer: Buffer): () => Buffer {
  const places: number[] = [];
  const prefix = Buffer.from(sequencePrefix);
  for (let at = answer.indexOf(prefix); at >= 0; at = answer.indexOf(prefix, at + 1)) places.push(at + prefix.length);
  let count = 0;
  return () => {
    const copy = Buffer.from(answer);
    const digits = String(++count).padStart(countDigits, "0");
    for (const place of places) copy.write(digits, place, "latin1");
    return copy;
  };
}

/** JSON.stringify has turned a Buffer into a list of numbers by then. */
function base64InJson(_name: string, value: unknown): unknown {
  const isBuffer = typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
  return isBuffer ? Buffer.from((value as unknown as { data: number[] }).data).toString("base64") : value;
}

function aggregatesOf(inputs: readonly { readonly partitionKey: string; readonly data: Buffer }[]) {
  const records: { partitionKey: string; data: Buffer }[] = [];
  const aggregator = new Aggregator();
  const close = (): void => {
    const { data, partitionKey } = aggregator.build();
    records.push({ partitionKey, data: Buffer.from(data) });
    aggregator.reset();
  };
  for (const input of inputs) {
    if (aggregator.add(input)) continue;
    close();
    aggregator.add(input);
  }
  close();
  return records;
}

function payload(dataBytes: number, seed: number): Buffer {
  const data = Buffer.alloc(dataBytes);
  let state = seed + 1;
  for (let index = 0; index < dataBytes; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    data[index] = state >>> 24;
  }
  return data;
}
