/**
 * Driver. Gives each of several streams the name by which its leases are called.
 *
 * Source: kcl.md 3.7: `account:stream:creationEpochSeconds`. KCL asks its user for the creation time; here it is read
 * from the service, so that a stream that is deleted and made anew gets leases of its own.
 */
import { describeError } from "@millrace/core/observe";
import type { KinesisPort } from "@millrace/core/kinesis";
import { parseStreamArn } from "@millrace/core/options";
import { ConsumerError } from "../errors.ts";
import { kinesisAnswer, type StartPorts } from "../start-calls.ts";
import type { ConsumedStream } from "./consumed-stream.ts";

/**
 * The streams with their identifiers.
 * @throws {ConsumerError} when a stream does not exist or may not be described.
 */
export async function identifyStreams(
  ports: StartPorts & { readonly kinesis: KinesisPort },
  streams: readonly ConsumedStream[],
): Promise<readonly ConsumedStream[]> {
  const identified: ConsumedStream[] = [];
  for (const stream of streams) identified.push(await identify(ports, stream));
  return identified;
}

async function identify(
  ports: StartPorts & { readonly kinesis: KinesisPort },
  stream: ConsumedStream,
): Promise<ConsumedStream> {
  const { kinesis } = ports;
  const at = { operation: "describe stream", streamName: stream.streamName };
  const answer = await kinesisAnswer(ports, at, (signal) => kinesis.describeStreamSummary(stream.ref, { signal }));
  if (!answer.ok) throw unusable(stream, describeError(answer.error), answer.error);
  const { streamArn, streamCreationTimestamp } = answer.value;
  const account = parseStreamArn(streamArn)?.accountId;
  if (account === undefined) throw unusable(stream, `its ARN ${streamArn} has no account`);
  const epochSeconds = Math.floor(streamCreationTimestamp.getTime() / 1000);
  const streamIdentifier = `${account}:${stream.streamName}:${epochSeconds}`;
  // The ARN reaches the stream from any account, and no other stream that takes its name later.
  const ref = { ...stream.ref, streamArn };
  return { ...stream, ref, streamIdentifier, leaseKeyPrefix: `${streamIdentifier}:` };
}

function unusable(stream: ConsumedStream, why: string, cause?: Error): ConsumerError {
  return new ConsumerError("ERR_STREAM_UNUSABLE", `cannot describe the stream ${stream.streamName}: ${why}`, cause);
}
