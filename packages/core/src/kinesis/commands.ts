/**
 * Adapter. PutRecords and GetRecords as commands of the SDK whose slow parts are replaced, and only those.
 *
 * The client's stack stays: its serializer makes the request (endpoint, headers, target) from an input without records,
 * and the body is put in after it; its deserializer makes the error classes and metadata, and the answer is read before
 * it. Signing, clock-skew correction, user middleware, handlers and mocks see what they see of the SDK's own commands.
 * `pnpm bench producer` measures what that saves.
 */
import { GetRecordsCommand, ListShardsCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import type {
  GetRecordsInput,
  GetRecordsOutput,
  KinesisClient,
  ListShardsInput,
  ListShardsOutput,
  PutRecordsInput,
  PutRecordsOutput,
} from "@aws-sdk/client-kinesis";
import { decodeCbor, encodeCbor, encodePutRecordsCbor, type CborMap } from "./wire-cbor.ts";
import { decodeGetRecordsJson, decodePutRecordsJson, encodePutRecordsJson } from "./wire-json.ts";

/** How bodies are written: JSON, or `application/x-amz-cbor-1.1`, which needs no base64. */
export type WireFormat = "json" | "cbor";

const cborType = "application/x-amz-cbor-1.1";

/** How one action's large body is written and read. */
interface Codec<Input, Output> {
  /** What of the input the SDK's own serializer gets: enough for the endpoint and the headers. */
  readonly strip: (input: Input) => Input;
  /** Undefined leaves the SDK's body. */
  readonly encode: ((input: Input) => Uint8Array) | undefined;
  readonly decode: (body: Buffer) => Output;
  readonly contentType: string | undefined;
}

/** PutRecords with our body. */
export class FastPutRecordsCommand extends PutRecordsCommand {
  constructor(input: PutRecordsInput, wireFormat: WireFormat) {
    super(input);
    install<PutRecordsInput, PutRecordsOutput>(this, {
      strip: (whole) => ({ ...whole, Records: [] }),
      encode: wireFormat === "cbor" ? encodePutRecordsCbor : encodePutRecordsJson,
      decode: wireFormat === "cbor" ? (body) => decodeCbor(body) as PutRecordsOutput : decodePutRecordsJson,
      contentType: wireFormat === "cbor" ? cborType : undefined,
    });
  }
}

/** GetRecords whose answer we read. */
export class FastGetRecordsCommand extends GetRecordsCommand {
  constructor(input: GetRecordsInput, wireFormat: WireFormat) {
    super(input);
    install<GetRecordsInput, GetRecordsOutput>(this, {
      strip: (whole) => whole,
      encode: wireFormat === "cbor" ? (whole) => encodeCbor(whole as unknown as CborMap) : undefined,
      decode: wireFormat === "cbor" ? (body) => decodeCbor(body) as GetRecordsOutput : decodeGetRecordsJson,
      contentType: wireFormat === "cbor" ? cborType : undefined,
    });
  }
}

class CborListShardsCommand extends ListShardsCommand {
  constructor(input: ListShardsInput) {
    super(input);
    install<ListShardsInput, ListShardsOutput>(this, {
      strip: (whole) => whole,
      encode: (whole) => encodeCbor(whole as unknown as CborMap),
      decode: (body) => decodeCbor(body) as ListShardsOutput,
      contentType: cborType,
    });
  }
}

/** Finds out, once, whether the service takes CBOR. */
export class CborProbe {
  readonly #client: KinesisClient;
  #known: WireFormat | undefined;
  #asking: Promise<WireFormat | undefined> | undefined;

  constructor(client: KinesisClient) {
    this.#client = client;
  }

  /** The format that is known to work; undefined before the first answer. */
  get known(): WireFormat | undefined {
    return this.#known;
  }

  /** The format for a call now. Without an answer it is JSON, and the next call asks again. */
  async formatFor(stream: StreamFields, signal: AbortSignal | undefined): Promise<WireFormat> {
    if (this.#known !== undefined) return this.#known;
    this.#asking ??= this.#ask(stream, signal).finally(() => (this.#asking = undefined));
    this.#known = await this.#asking;
    return this.#known ?? "json";
  }

  async #ask(stream: StreamFields, signal: AbortSignal | undefined): Promise<WireFormat | undefined> {
    try {
      const options = signal === undefined ? {} : { abortSignal: signal };
      await this.#client.send(new CborListShardsCommand({ ...stream, MaxResults: 1 }), options);
      return "cbor";
    } catch (error) {
      const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
      if ($metadata?.httpStatusCode === undefined) return undefined;
      // Any other refusal was made by somebody who had read the request.
      return $metadata.httpStatusCode === 415 || name === "SerializationException" ? "json" : "cbor";
    }
  }
}

interface StreamFields {
  readonly StreamName?: string;
  readonly StreamARN?: string;
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

function install<Input, Output extends object>(command: object, codec: Codec<Input, Output>): void {
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
      const body = await collect(response.body, config);
      const isCbor = response.headers["content-type"]?.startsWith(cborType) === true;
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

async function collect(body: unknown, config: ClientConfig): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  const bytes = body instanceof Uint8Array ? body : await config.streamCollector(body);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
