/**
 * Driver. Registers this application as a consumer of a stream, once.
 *
 * Source: kcl.md 5.2. It is never deregistered: another worker of the application may be reading through it.
 */
import { describeError } from "@millrace/core/observe";
import type { Answer, KinesisError, KinesisPort, StreamRef } from "@millrace/core/kinesis";
import { sleep, type System } from "@millrace/core/runtime";
import { ConsumerError } from "../errors.ts";
import type { FanOutPort, StreamConsumer } from "./fan-out-port.ts";

const pollMs = 1_000;
const maxTries = 30;

/**
 * The ARN of the application's consumer, once it is ACTIVE.
 * @throws {ConsumerError} when it cannot be registered.
 */
export async function registerConsumer(
  ports: { readonly fanOut: FanOutPort; readonly kinesis: KinesisPort; readonly system: System },
  stream: StreamRef,
  consumerName: string,
  signal: AbortSignal,
): Promise<string> {
  const { fanOut, kinesis, system } = ports;
  const streamArn =
    stream.streamArn ??
    (await retried(system, signal, "describe the stream", () => kinesis.describeStreamSummary(stream, { signal })))
      .streamArn;
  const request = { streamArn, consumerName };
  for (let attempt = 1; ; attempt++) {
    const consumer = await retried(system, signal, `register ${consumerName}`, async () => {
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

async function retried<T extends object | StreamConsumer>(
  system: System,
  signal: AbortSignal,
  what: string,
  call: () => Promise<Answer<T>>,
): Promise<T> {
  let last: KinesisError | undefined;
  for (let attempt = 1; attempt <= maxTries; attempt++) {
    const answer = await call();
    if (answer.ok) return answer.value;
    last = answer.error;
    if (last.kind === "permanent" || last.kind === "aborted") break;
    await sleep(system, pollMs, { signal });
  }
  throw new ConsumerError("ERR_STREAM_CONSUMER", `cannot ${what}: ${describeError(last)}`, last);
}
