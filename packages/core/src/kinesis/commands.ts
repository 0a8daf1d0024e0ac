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
import { cborType, install } from "./command-codec.ts";
import { encodeCbor, encodePutRecordsCbor, type CborMap } from "./cbor-write.ts";
import { decodeCbor } from "./wire-cbor.ts";
import { encodePutRecordsJson } from "./put-records-json.ts";
import { decodeGetRecordsJson, decodePutRecordsJson } from "./wire-json.ts";

/** How bodies are written: JSON, or `application/x-amz-cbor-1.1`, which needs no base64. */
export type WireFormat = "json" | "cbor";

/** PutRecords with our body. */
export class FastPutRecordsCommand extends PutRecordsCommand {
  constructor(input: PutRecordsInput, wireFormat: WireFormat) {
    super(input);
    install<PutRecordsInput, PutRecordsOutput>(this, {
      strip: (whole) => ({ ...whole, Records: [] }),
      encode: wireFormat === "cbor" ? encodePutRecordsCbor : encodePutRecordsJson,
      decode: wireFormat === "cbor" ? (body) => decodeCbor(body) as PutRecordsOutput : decodePutRecordsJson,
      isBodyReused: false,
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
      isBodyReused: wireFormat === "json",
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
      isBodyReused: false,
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
