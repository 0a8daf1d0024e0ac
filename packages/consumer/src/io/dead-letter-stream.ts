/**
 * Adapter. Dead letters as records of another stream.
 */
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { Aggregator } from "@millrace/aggregation";
import { createKinesisClient, kinesisFromClient } from "@millrace/core/aws";
import type { KinesisPort, PutRecordsEntry } from "@millrace/core/kinesis";
import { checkOptionNames, streamOption } from "@millrace/core/options";
import { placeAndReason, type DeadLetter, type FailedRecord } from "../processing/dead-letter.ts";

/** Where `deadLetterStream` puts failed records. */
export interface DeadLetterStreamOptions {
  /** The stream's name. This or `streamArn`. It must not be the stream that is read. */
  readonly streamName?: string | undefined;
  /** The stream's ARN. This or `streamName`. */
  readonly streamArn?: string | undefined;
  /** For Kinesis. @default one made from the environment */
  readonly client?: KinesisClient | undefined;
}

/** Tag of the user record that tells why it is here: JSON of `deadLetterJson`, without the payload and its keys. */
const reasonTag = "millrace-dead-letter";

/**
 * A dead letter that puts each failed record into another stream with its own payload and key, so that a consumer of
 * that stream can handle it as if it came from the first one. Why it failed stands in its tag `millrace-dead-letter`
 * as JSON. A record that the tag would make too large for the stream goes without it. Resolves once it is stored.
 * @param wiring @internal
 * @throws {ConfigError} for a bad option.
 */
export function deadLetterStream(
  options: DeadLetterStreamOptions,
  wiring: { readonly kinesis?: KinesisPort | undefined } = {},
): DeadLetter {
  checkOptionNames("deadLetterStream", options, ["streamName", "streamArn", "client"]);
  const { streamName, streamArn } = options;
  const ref = streamOption({ streamName, streamArn });
  let kinesis = wiring.kinesis;
  const put = async (entry: PutRecordsEntry): Promise<Error | undefined> => {
    kinesis ??= kinesisFromClient(options.client ?? createKinesisClient());
    const answer = await kinesis.putRecords({ ...ref, records: [entry] });
    if (!answer.ok) return answer.error;
    const [stored] = answer.value.records;
    return stored?.ok === true
      ? undefined
      : new Error(stored?.errorMessage ?? "the service told nothing of the record");
  };
  return {
    async send(failed) {
      const error = await put(taggedEntry(failed));
      if (error === undefined) return;
      if (!isTooLarge(error) || (await put(plainEntry(failed))) !== undefined) throw error;
    },
  };
}

function taggedEntry(failed: FailedRecord): PutRecordsEntry {
  const { record } = failed;
  const aggregator = new Aggregator();
  aggregator.add({
    ...plainEntry(failed),
    tags: { ...record.tags, [reasonTag]: JSON.stringify(placeAndReason(failed)) },
  });
  return aggregator.build();
}

function plainEntry({ record }: FailedRecord): PutRecordsEntry {
  const { data, explicitHashKey } = record;
  // Streams that ignore keys may deliver records without one; to put a record it needs one.
  return { data, partitionKey: record.partitionKey ?? record.sequenceNumber, explicitHashKey };
}

/** Source: PutRecords refuses a record over the stream's limit with one of these. */
function isTooLarge(error: Error): boolean {
  const code = "code" in error ? error.code : "";
  return code === "ValidationException" || code === "InvalidArgumentException";
}
