/**
 * Driver. Puts our writing and reading of bodies into one of the SDK's commands, around the SDK's own serializer and
 * deserializer, which stay.
 */
import { BodyBuffers, collectBody, isByteStream } from "./answer-body.ts";
import { decodeCbor } from "./wire-cbor.ts";

export const cborType = "application/x-amz-cbor-1.1";

/** How one action's large body is written and read. */
export interface Codec<Input, Output> {
  /** What of the input the SDK's own serializer gets: enough for the endpoint and the headers. */
  readonly strip: (input: Input) => Input;
  /** Undefined leaves the SDK's body. */
  readonly encode: ((input: Input) => Uint8Array) | undefined;
  /** Must not keep a view of the body where `isBodyReused`. */
  readonly decode: (body: Buffer) => Output;
  readonly isBodyReused: boolean;
  readonly contentType: string | undefined;
}

/** The client's configuration, as far as this file looks at it. */
interface ClientConfig {
  readonly protocol?: { getShapeId?(): string };
  readonly logger?: { readonly constructor?: { readonly name?: string } };
  readonly streamCollector: (stream: unknown) => Promise<Uint8Array>;
}

interface WireRequest {
  headers: Record<string, string>;
  body?: unknown;
}

interface WireResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  body?: unknown;
}

interface Args {
  readonly input: never;
  readonly request?: WireRequest;
}

interface Result {
  readonly response: WireResponse | undefined;
  readonly output?: object;
}

type Next = (args: Args) => Promise<Result>;
type Middleware = (next: Next) => Next;

/** The SDK's command, as far as this file changes it: its stack is resolved with the client's configuration. */
interface OpenCommand {
  readonly middlewareStack: {
    add(middleware: Middleware, options: object): void;
    addRelativeTo(middleware: Middleware, options: object): void;
  };
  resolveMiddleware(clientStack: unknown, config: ClientConfig, options: unknown): unknown;
}

/** Replaces how `command` writes and reads its body. */
export function install<Input, Output extends object>(command: object, codec: Codec<Input, Output>): void {
  const open = command as OpenCommand;
  const resolve = open.resolveMiddleware.bind(command);
  open.resolveMiddleware = (clientStack, config, options) => {
    // A client that speaks another protocol than the service's own JSON keeps its serializer whole.
    if (config.protocol?.getShapeId?.() === "aws.protocols#awsJson1_1") addCodec(open, config, codec);
    return resolve(clientStack, config, options);
  };
}

function addCodec<Input, Output extends object>(
  command: OpenCommand,
  config: ClientConfig,
  codec: Codec<Input, Output>,
): void {
  const stack = command.middlewareStack;
  const { encode } = codec;
  let whole: never;
  if (encode !== undefined) {
    stack.addRelativeTo(
      (next) => (args) => {
        whole = args.input;
        return next({ ...args, input: codec.strip(args.input) as never });
      },
      { name: "millraceStripBody", relation: "before", toMiddleware: "serializerMiddleware", override: true },
    );
    stack.addRelativeTo(
      (next) => (args) => {
        const { request } = args;
        if (request !== undefined) {
          request.body = encode(whole);
          if (codec.contentType !== undefined) request.headers["content-type"] = codec.contentType;
        }
        return next({ ...args, input: whole });
      },
      { name: "millraceBody", relation: "after", toMiddleware: "serializerMiddleware", override: true },
    );
  }
  let read: Output | undefined;
  stack.addRelativeTo(
    (next) => async (args) => {
      const result = await next(args);
      const output = read;
      return output === undefined ? result : { ...result, output: { ...result.output, ...output } };
    },
    { name: "millraceOutput", relation: "before", toMiddleware: "deserializerMiddleware", override: true },
  );
  stack.addRelativeTo(
    (next) => async (args) => {
      read = undefined;
      const result = await next(args);
      const { response } = result;
      if (response === undefined || typeof response.statusCode !== "number") return result;
      const isCbor = response.headers["content-type"]?.startsWith(cborType) === true;
      if (codec.isBodyReused && response.statusCode < 300 && !isCbor && isByteStream(response.body)) {
        read = await readReused(response, response.body, codec.decode);
        return result;
      }
      const body = await collect(response.body, config);
      response.body = body;
      try {
        if (response.statusCode < 300) {
          read = codec.decode(body);
          response.body = Buffer.from("{}");
        } else if (isCbor) {
          // The SDK makes its error classes from JSON.
          response.body = Buffer.from(JSON.stringify(decodeCbor(body)));
        }
      } catch {
        // Not what the service writes: a proxy's page, perhaps. The SDK's deserializer says so in its own way.
      }
      return result;
    },
    { name: "millraceAnswer", relation: "after", toMiddleware: "deserializerMiddleware", override: true },
  );
  if (config.logger === undefined || config.logger.constructor?.name === "NoOpLogger") {
    // It filters the whole input for a logger that drops it.
    stack.add((next) => next, { name: "loggerMiddleware", step: "initialize", override: true });
  }
}

/** Bodies of all clients of the process: what one does not need, another can use. */
const bodyBuffers = new BodyBuffers();

/** What `decode` makes of the stream; undefined when it is not what the service writes, which is then left to the SDK. */
async function readReused<Output>(
  response: WireResponse,
  stream: Parameters<typeof collectBody>[0],
  decode: (body: Buffer) => Output,
): Promise<Output | undefined> {
  const expectedBytes = Number(response.headers["content-length"]) || 0;
  const { buffer, length } = await collectBody(stream, expectedBytes, bodyBuffers);
  const body = buffer.subarray(0, length);
  try {
    const output = decode(body);
    response.body = Buffer.from("{}");
    return output;
  } catch {
    response.body = Buffer.from(body);
    return undefined;
  } finally {
    bodyBuffers.giveBack(buffer);
  }
}

async function collect(body: unknown, config: ClientConfig): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  const bytes = body instanceof Uint8Array ? body : await config.streamCollector(body);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
