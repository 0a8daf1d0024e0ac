/**
 * Driver. One request and its answer, whichever HTTP version carried it: reads, executes, writes.
 *
 * The order of the checks is the service's: size, method, content type, syntax, action, signature, types, then the
 * action itself. Source of the order and the bodies: mhart/kinesalite:index.js, recorded from the service.
 */
import { ServiceError, WireFault } from "../service-error.ts";
import type { CallContext, KinesisExecutor, SubscriptionFrame } from "../service-port.ts";
import type { BlobMemory } from "./blob-memory.ts";
import { readCbor } from "./cbor-read.ts";
import { writeCbor } from "./cbor-write.ts";
import { asBuffer, readJson, writeJson } from "./json.ts";
import { NullMember, readInput, UnreadableInput } from "./read-input.ts";
import type { WireFormat } from "./read-input.ts";
import { scanPutRecords } from "./scan-put-records.ts";
import { actionInputs } from "./shapes.ts";
import { checkSignature, parseSignature } from "./signature.ts";
import type { AccessKey, SignedRequest } from "./signature.ts";

/** What an exchange needs to know of its server. */
export interface ExchangeOptions {
  readonly executor: KinesisExecutor;
  /** Keys that requests must be signed with; undefined takes any signature. */
  readonly accessKeys: readonly AccessKey[] | undefined;
  /** Where the blobs of requests go. */
  readonly memory: BlobMemory;
  /** Milliseconds since 1970 on the service's clock. */
  readonly wallNow: () => number;
}

/** What goes back to the caller. */
export type WireAnswer =
  | { readonly kind: "body"; readonly status: number; readonly contentType: string; readonly body: string | Uint8Array }
  /** An event stream: its frames as they come. */
  | { readonly kind: "events"; readonly format: WireFormat; readonly events: AsyncIterable<SubscriptionFrame> }
  /** Half an answer, then the connection breaks. */
  | { readonly kind: "truncate" }
  | { readonly kind: "reset" };

const contentTypes: Readonly<Record<WireFormat, string>> = {
  json: "application/x-amz-json-1.1",
  cbor: "application/x-amz-cbor-1.1",
};

const targetPrefix = "Kinesis_20131202.";

/** Outputs without blobs and timestamps that are worth the platform's own, faster way to JSON. */
const plainOutputs: ReadonlySet<string> = new Set(["PutRecord", "PutRecords"]);

/** Why a body could not be taken whole. */
export type BodyRefusal = "too-large" | "too-busy" | "too-slow";

/** A request whose body is in memory that others wait for. */
export interface ReceivedRequest extends SignedRequest {
  /** Ends the use of `body`; idempotent. Called before the action runs, which may take as long as it likes. */
  release(): void;
}

/** The answer to a request; never rejects. */
export async function exchange(
  request: ReceivedRequest,
  context: CallContext,
  options: ExchangeOptions,
): Promise<WireAnswer> {
  const format = requestFormat(request);
  try {
    if (request.method !== "POST") return undirected();
    if (format === undefined) return foreignContentType(request);
    return await executeRequest(request, format, context, options);
  } catch (error) {
    return failureAnswer(error, format ?? "json");
  } finally {
    request.release();
  }
}

/** The answer where the body was not taken whole. */
export function refusalAnswer(refusal: BodyRefusal): WireAnswer {
  switch (refusal) {
    case "too-large":
      return errorAnswer("json", "RequestEntityTooLargeException", "Request body is too large.", 413);
    case "too-busy":
      return errorAnswer("json", "ServiceUnavailable", "Too many request bodies are being received.", 503);
    default:
      return errorAnswer("json", "RequestTimeoutException", "Request body did not arrive in time.", 408);
  }
}

/** The bytes of an output or an event in the given format. */
export function encodePayload(format: WireFormat, value: unknown): Uint8Array {
  return format === "json" ? Buffer.from(writeJson(value)) : writeCbor(value);
}

/** The content type that names the format. */
export function contentTypeOf(format: WireFormat): string {
  return contentTypes[format];
}

async function executeRequest(
  request: ReceivedRequest,
  format: WireFormat,
  context: CallContext,
  options: ExchangeOptions,
): Promise<WireAnswer> {
  const action = requestAction(request);
  const shape = action === undefined ? undefined : actionInputs.get(action);
  if (request.body.length === 0 && shape !== undefined) throw new UnreadableInput("");
  const isHot = action === "PutRecords" && format === "json";
  const scanned = isHot ? scanPutRecords(asBuffer(request.body), options.memory) : undefined;
  const body = scanned ?? readBody(request.body, format);
  if (action === undefined || shape === undefined) throw new ServiceError("UnknownOperationException", "");
  const signature = parseSignature(request);
  if (options.accessKeys !== undefined) checkSignature(signature, request, options.accessKeys, options.wallNow());
  const input = scanned ?? readInput(shape, body, { format, memory: options.memory });
  request.release();
  const output = await options.executor.execute(action, input, {
    accessKeyId: signature.accessKeyId,
    get signal() {
      return context.signal;
    },
  });
  if (action === "SubscribeToShard" && "EventStream" in output) {
    return { kind: "events", format, events: output["EventStream"] as AsyncIterable<SubscriptionFrame> };
  }
  if (format === "json" && plainOutputs.has(action)) return bodyAnswer(format, 200, JSON.stringify(output));
  return bodyAnswer(format, 200, isEmpty(output) ? "" : encode(format, output));
}

/** The body as a tree: an object in all cases, because every action's input is one. */
function readBody(bytes: Uint8Array, format: WireFormat): object {
  const body = bytes.length === 0 ? {} : format === "json" ? readJson(bytes) : readCbor(bytes);
  if (typeof body !== "object" || body === null) throw new UnreadableInput("");
  return body;
}

function requestFormat(request: SignedRequest): WireFormat | undefined {
  const header = request.headers["content-type"];
  const contentType = typeof header === "string" ? (header.split(";", 1)[0] ?? "").trim().toLowerCase() : "";
  if (contentType === contentTypes.json) return "json";
  return contentType === contentTypes.cbor ? "cbor" : undefined;
}

function requestAction(request: SignedRequest): string | undefined {
  const target = request.headers["x-amz-target"];
  return typeof target === "string" && target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : undefined;
}

/** A request of which the service cannot tell what it asks: its front answers in XML. */
function undirected(): WireAnswer {
  const text = "Unable to determine service/operation name to be authorized";
  const body = `<AccessDeniedException>\n  <Message>${text}</Message>\n</AccessDeniedException>\n`;
  return { kind: "body", status: 403, contentType: "application/xml", body };
}

function foreignContentType(request: SignedRequest): WireAnswer {
  if (requestAction(request) === undefined) return undirected();
  return { kind: "body", status: 404, contentType: "application/xml", body: "<UnknownOperationException/>\n" };
}

function failureAnswer(error: unknown, format: WireFormat): WireAnswer {
  if (error instanceof ServiceError) return errorAnswer(format, error.code, error.message, error.statusCode);
  if (error instanceof UnreadableInput) return errorAnswer(format, "SerializationException", error.message, 400);
  if (error instanceof NullMember) {
    return errorAnswer(format, "ValidationException", `1 validation error detected: ${error.message}`, 400);
  }
  if (error instanceof WireFault) return faultAnswer(error);
  // A defect of the simulator must not look like the caller's mistake, and must not end the server.
  const text = `Defect of the simulator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return errorAnswer(format, "InternalFailure", text, 500);
}

function faultAnswer(fault: WireFault): WireAnswer {
  if (fault.kind !== "raw-body") return { kind: fault.kind };
  return { kind: "body", status: fault.statusCode, contentType: "text/html", body: fault.body };
}

function errorAnswer(format: WireFormat, code: string, message: string, status: number): WireAnswer {
  return bodyAnswer(format, status, encode(format, message === "" ? { __type: code } : { __type: code, message }));
}

function bodyAnswer(format: WireFormat, status: number, body: string | Uint8Array): WireAnswer {
  return { kind: "body", status, contentType: contentTypes[format], body };
}

/** JSON stays a string: the socket writes it once, where a copy into bytes would write it twice. */
function encode(format: WireFormat, value: unknown): string | Uint8Array {
  return format === "json" ? writeJson(value) : writeCbor(value);
}

function isEmpty(output: Record<string, unknown>): boolean {
  for (const name in output) if (output[name] !== undefined) return false;
  return true;
}
