/**
 * Driver. Registers this application as a consumer of a stream, once.
 *
 * Source: kcl.md 5.2. It is never deregistered: another worker of the application may be reading through it.
 */
import { describeError } from "@millrace/core/observe";
import type { Answer, KinesisError, KinesisPort } from "@millrace/core/kinesis";
import { sleep } from "@millrace/core/runtime";
import { ConsumerError } from "../errors.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import { kinesisAnswer, type StartPorts } from "../start-calls.ts";
import type { FanOutPort } from "./fan-out-port.ts";

const pollMs = 1_000;
/** Registering takes seconds; and LimitExceededException may be the quota of consumers, which does not pass. */
const maxTries = 30;

/**
 * The ARN of the application's consumer, once it is ACTIVE.
 * @throws {ConsumerError} when it cannot be registered.
 */
export async function registerConsumer(
  ports: StartPorts & { readonly fanOut: FanOutPort; readonly kinesis: KinesisPort },
  stream: ConsumedStream,
  consumerName: string,
): Promise<string> {
  const { fanOut, kinesis, system, signal } = ports;
  const streamArn =
    stream.ref.streamArn ??
    (await answered(ports, stream, "describe stream", () => kinesis.describeStreamSummary(stream.ref, { signal })))
      .streamArn;
  const request = { streamArn, consumerName };
  for (let attempt = 1; ; attempt++) {
    const consumer = await answered(ports, stream, `register ${consumerName}`, async () => {
      const found = await fanOut.describeStreamConsumer(request, { signal });
      if (found.ok || found.error.code !== "ResourceNotFoundException") return found;
      const registered = await fanOut.registerStreamConsumer(request, { signal });
      // Another worker of the application was faster.
      const isRace = !registered.ok && registered.error.code === "ResourceInUseException";
      return isRace ? fanOut.describeStreamConsumer(request, { signal }) : registered;
    });
    if (consumer.status === "ACTIVE") return consumer.consumerArn;
    if (attempt >= maxTries) {
      throw new ConsumerError("ERR_STREAM_CONSUMER", `the consumer ${consumerName} is still ${consumer.status}`);
    }
    await sleep(system, pollMs, { signal });
  }
}

async function answered<T>(
  ports: StartPorts,
  { streamName }: ConsumedStream,
  operation: string,
  call: () => Promise<Answer<T>>,
): Promise<T> {
  const answer = await kinesisAnswer(ports, { operation, streamName }, call, mayPass);
  if (answer.ok) return answer.value;
  throw new ConsumerError("ERR_STREAM_CONSUMER", `cannot ${operation}: ${describeError(answer.error)}`, answer.error);
}

function mayPass({ kind, code }: KinesisError, failures: number): boolean {
  return kind !== "permanent" && (code !== "LimitExceededException" || failures < maxTries);
}
