/**
 * Adapter. SubscribeToShard as a command of the SDK whose reading of events is replaced, and only that.
 *
 * The SDK's own deserializer gets a stream with nothing but the first frame, which it waits for; so errors, metadata and
 * middleware are the SDK's. The events themselves are read from their bytes: through the SDK's event stream and schema they
 * cost more than de-aggregating what they hold.
 */
import {
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
  type SubscribeToShardInput,
} from "@aws-sdk/client-kinesis";
import {
  classifyFailure,
  decodeGetRecordsJson,
  EventFrames,
  KinesisError,
  type EventFrame,
} from "@millrace/core/kinesis";

/** `initial-response` with an empty object, as the service begins its answer. */
const initialResponse = Buffer.from(
  "AAAAcgAAAGCrgg2eCzpldmVudC10eXBlBwAQaW5pdGlhbC1yZXNwb25zZQ06Y29udGVudC10eXBlBwAaYXBwbGljYXRpb24veC1hbXotanNvbi0xLjENOm1lc3NhZ2UtdHlwZQcABWV2ZW50e32srmt9",
  "base64",
);

interface Result {
  readonly response?: { readonly statusCode?: number; body?: unknown } | undefined;
  readonly output?: object | undefined;
}
type Next = (args: object) => Promise<Result>;

/** The SDK's command, as far as this file changes it: its stack is resolved with the client's configuration. */
interface OpenCommand {
  readonly middlewareStack: { addRelativeTo(middleware: (next: Next) => Next, options: object): void };
  resolveMiddleware(clientStack: unknown, config: ClientConfig, options: unknown): unknown;
}
interface ClientConfig {
  readonly protocol?: { getShapeId?(): string };
}

/** SubscribeToShard whose events we read. */
export class FastSubscribeToShardCommand extends SubscribeToShardCommand {
  constructor(input: SubscribeToShardInput) {
    super(input);
    const open = this as unknown as OpenCommand;
    const resolve = open.resolveMiddleware.bind(this);
    open.resolveMiddleware = (clientStack, config, options) => {
      // A client that speaks another protocol than the service's own JSON reads its events itself.
      if (config.protocol?.getShapeId?.() === "aws.protocols#awsJson1_1") replaceEvents(open);
      return resolve(clientStack, config, options);
    };
  }
}

function replaceEvents(command: OpenCommand): void {
  let body: AsyncIterable<Uint8Array> | undefined;
  command.middlewareStack.addRelativeTo(
    (next) => async (args) => {
      const result = await next(args);
      const stream = body;
      return stream === undefined
        ? result
        : { ...result, output: { ...result.output, EventStream: readFrames(stream) } };
    },
    { name: "millraceEvents", relation: "before", toMiddleware: "deserializerMiddleware", override: true },
  );
  command.middlewareStack.addRelativeTo(
    (next) => async (args) => {
      body = undefined;
      const result = await next(args);
      const { response } = result;
      if (response?.statusCode !== 200 || !isIterable(response.body)) return result;
      body = response.body;
      response.body = onlyInitialResponse();
      return result;
    },
    { name: "millraceEventBytes", relation: "after", toMiddleware: "deserializerMiddleware", override: true },
  );
}

function isIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

async function* onlyInitialResponse(): AsyncGenerator<Uint8Array> {
  yield initialResponse;
}

/** Events in the SDK's shape. Leaving the loop ends the stream. */
async function* readFrames(body: AsyncIterable<Uint8Array>): AsyncGenerator<SubscribeToShardEventStream> {
  const frames = new EventFrames();
  for await (const piece of body) {
    frames.push(piece);
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      const event = eventOf(frame);
      if (event !== undefined) yield event;
    }
  }
  if (!frames.isBetweenFrames) throw failure("TruncatedEventStream", "the subscription ended in the middle of a frame");
}

/** The event in a frame; undefined for frames of no interest. @throws {KinesisError} for a failure that it tells of. */
function eventOf({ headers, payload }: EventFrame): SubscribeToShardEventStream | undefined {
  const exception = headers[":exception-type"] ?? headers[":error-code"];
  if (exception !== undefined) throw failure(exception, headers[":error-message"] ?? messageIn(payload));
  if (headers[":event-type"] !== "SubscribeToShardEvent") return undefined;
  return { SubscribeToShardEvent: decodeGetRecordsJson(payload) as unknown as SubscribeToShardEvent };
}

function messageIn(payload: Buffer): string {
  try {
    const told = JSON.parse(payload.toString("utf8")) as { readonly message?: unknown; readonly Message?: unknown };
    const text = told.message ?? told.Message;
    if (typeof text === "string") return text;
  } catch {
    // Not JSON: then what is there is the message.
  }
  return payload.toString("utf8");
}

function failure(code: string, message: string): KinesisError {
  return new KinesisError({ code, message, kind: classifyFailure(code, undefined), mayHaveTakenEffect: false });
}
