/** Pure. Events as Lambda hands them to a function. Source: AWS Lambda developer guide, Kinesis. */
import type { Context, KinesisStreamEvent, KinesisStreamTumblingWindowEvent } from "aws-lambda";

/** An event of Kinesis records with the given data; their sequence numbers count from 1 in the last digits. */
export function kinesisEvent(...data: readonly (Uint8Array | string)[]): KinesisStreamEvent {
  return {
    Records: data.map((bytes, index) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey: "1",
        sequenceNumber: sequenceNumberOf(index + 1),
        data: Buffer.from(bytes as string).toString("base64"),
        approximateArrivalTimestamp: 1545084650.987,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `shardId-000000000006:${sequenceNumberOf(index + 1)}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: "arn:aws:iam::123456789012:role/lambda-role",
      awsRegion: "us-east-2",
      eventSourceARN: "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
    })),
  };
}

/** The sequence number of an event's record, from 1. */
export function sequenceNumberOf(place: number): string {
  return `4959033827149025660855969253836157109592157598913658${String(place).padStart(4, "0")}`;
}

/** An event of a mapping with a tumbling window. */
export function windowEvent(
  event: KinesisStreamEvent,
  fields: { readonly state?: Record<string, unknown>; readonly isFinal?: boolean; readonly isEarly?: boolean } = {},
): KinesisStreamTumblingWindowEvent {
  return {
    ...event,
    window: { start: "2020-12-09T07:04:00Z", end: "2020-12-09T07:06:00Z" },
    state: fields.state ?? {},
    isFinalInvokeForWindow: fields.isFinal ?? false,
    isWindowTerminatedEarly: fields.isEarly ?? false,
  };
}

/** A context as the Node runtime gives one. */
export const context: Context = {
  callbackWaitsForEmptyEventLoop: true,
  functionName: "reader",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:us-east-2:123456789012:function:reader",
  memoryLimitInMB: "128",
  awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
  logGroupName: "/aws/lambda/reader",
  logStreamName: "2020/12/09/[$LATEST]abc",
  getRemainingTimeInMillis: () => 3000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};
