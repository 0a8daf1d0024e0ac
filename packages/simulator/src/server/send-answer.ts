/**
 * Adapter. Writes an answer to a connection of either HTTP version, and breaks the connection where the answer says so.
 */
import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { ServiceError, WireFault } from "../service-error.ts";
import type { SubscriptionFrame } from "../service-port.ts";
import { eventFrame, exceptionFrame } from "./event-stream.ts";
import { contentTypeOf, encodePayload } from "./exchange.ts";
import type { WireAnswer } from "./exchange.ts";
import type { WireFormat } from "./read-input.ts";

/** A response of either version: HTTP/2 answers by the same methods, over a stream of its session. */
export type AnyResponse = ServerResponse & { readonly stream?: ServerHttp2Stream };

/** What an answer is written to. */
export interface AnswerTarget {
  readonly response: AnyResponse;
  /** Breaks the connection under the response, not the response alone: what a host that dies does. */
  breakConnection(): void;
}

/** True when nobody is left to answer. Node's HTTP/2 responses have no `destroyed` of their own. */
export function isGone(response: AnyResponse): boolean {
  return response.stream === undefined ? response.destroyed : response.stream.destroyed;
}

/** Writes `answer`; resolves when it is written or the caller has gone. Never rejects. */
export async function sendAnswer(
  target: AnswerTarget,
  answer: WireAnswer,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { response } = target;
  if (isGone(response)) return;
  switch (answer.kind) {
    case "body": {
      const { body } = answer;
      const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
      const type = length === 0 ? {} : { "content-type": answer.contentType };
      response.writeHead(answer.status, { ...headers, ...type, "content-length": String(length) });
      // Text of as many bytes as characters is ASCII, which goes out without a second pass.
      if (typeof body === "string") response.end(body, length === body.length ? "latin1" : "utf8");
      else response.end(body);
      return;
    }
    case "events":
      await sendEvents(target, answer.events, answer.format, headers);
      return;
    case "truncate": {
      response.writeHead(200, { ...headers, "content-type": contentTypeOf("json"), "content-length": "1000" });
      await flushed(response, Buffer.from('{"Records":[{"Da'));
      target.breakConnection();
      return;
    }
    default:
      target.breakConnection();
  }
}

async function sendEvents(
  target: AnswerTarget,
  events: AsyncIterable<SubscriptionFrame>,
  format: WireFormat,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { response } = target;
  const contentType = contentTypeOf(format);
  response.writeHead(200, { ...headers, "content-type": "application/vnd.amazon.eventstream" });
  await written(response, eventFrame("initial-response", contentType, encodePayload(format, {})));
  try {
    for await (const event of events) {
      if (isGone(response)) return;
      if (event.exception !== undefined) {
        await written(response, failureFrame(event.exception, format));
        break;
      }
      const payload = encodePayload(format, event.SubscribeToShardEvent);
      await written(response, eventFrame("SubscribeToShardEvent", contentType, payload));
    }
    response.end();
  } catch (error) {
    await failStream(target, error, format);
  }
}

async function failStream(target: AnswerTarget, error: unknown, format: WireFormat): Promise<void> {
  const { response } = target;
  if (isGone(response)) return;
  if (error instanceof WireFault) {
    if (error.kind === "truncate") {
      const frame = eventFrame("SubscribeToShardEvent", contentTypeOf(format), Buffer.alloc(100));
      await flushed(response, frame.subarray(0, frame.length / 2));
    }
    target.breakConnection();
    return;
  }
  const failure = error instanceof ServiceError ? error : new ServiceError("InternalFailure", String(error), 500);
  await written(response, failureFrame(failure, format));
  response.end();
}

function failureFrame(failure: ServiceError, format: WireFormat): Uint8Array {
  // The only name that differs between an answer's status line and an event stream.
  const code = failure.code === "InternalFailure" ? "InternalFailureException" : failure.code;
  return exceptionFrame(code, contentTypeOf(format), encodePayload(format, { message: failure.message }));
}

/** Resolves when there is room for more, or nobody is left to write to. */
function written(response: AnyResponse, bytes: Uint8Array): Promise<void> {
  if (isGone(response) || response.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

/** Resolves when the bytes have left this process, or nobody is left to take them. */
function flushed(response: AnyResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.on("close", resolve);
    response.write(bytes, () => resolve());
  });
}
