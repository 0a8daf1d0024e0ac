/**
 * Adapter. Takes the body of a request into memory, within bounds: bytes of one body, bytes of all bodies, time.
 *
 * A body past a bound is read on and dropped, so that the caller gets an answer instead of a broken connection.
 */
import type { IncomingMessage } from "node:http";
import type { System } from "@millrace/core/runtime";
import type { BodyBuffers } from "./body-buffers.ts";
import type { BodyRefusal } from "./exchange.ts";

/** What bodies may take. */
export interface BodyBounds {
  /** Bytes of one body that are kept; a larger one is refused. */
  readonly maxBodyBytes: number;
  /** Bytes of all bodies being received at one time. */
  readonly maxBodiesBytes: number;
  /** Time from the headers to the last byte. */
  readonly maxBodyMs: number;
}

/** Bytes being held by all requests of a server, and what they are held in. */
export interface BodyBudget {
  usedBytes: number;
  readonly buffers: BodyBuffers;
}

/** `gone`: the caller has left, there is nobody to answer. */
export type ReceivedBody =
  /** `release` ends the use of `bytes`: the next request may be written over them. */
  | { readonly ok: true; readonly bytes: Uint8Array; release(): void }
  | { readonly ok: false; readonly reason: BodyRefusal | "gone" };

/** A refused body is dropped up to this many times its bound; then the answer goes out at once. */
const maxDroppedBodies = 8;

/** Resolves with the whole body, or why there is none; never rejects. */
export function receiveBody(
  request: IncomingMessage,
  bounds: BodyBounds,
  budget: BodyBudget,
  system: System,
): Promise<ReceivedBody> {
  return new Promise((resolve) => {
    let chunks: Uint8Array[] = [];
    // A body that says its length beforehand is put together as it comes.
    let whole = budget.buffers.take(Number(request.headers["content-length"] ?? 0));
    let heldBytes = 0;
    let droppedBytes = 0;
    let refusal: BodyRefusal | undefined;
    let isSettled = false;
    const release = () => {
      budget.usedBytes -= heldBytes;
      heldBytes = 0;
      chunks = [];
      if (whole !== undefined) budget.buffers.giveBack(whole);
      whole = undefined;
    };
    const settle = (result: ReceivedBody) => {
      // What comes after the answer is settled (`close` always does) must not touch a body that is being read.
      if (isSettled) return;
      isSettled = true;
      timer.cancel();
      if (!result.ok) release();
      resolve(result);
    };
    const refuse = (reason: BodyRefusal) => {
      refusal ??= reason;
      release();
    };
    const keep = (chunk: Uint8Array) => {
      if (whole === undefined) chunks.push(chunk);
      else if (heldBytes + chunk.length <= whole.length) whole.set(chunk, heldBytes);
      else return refuse("too-large");
      heldBytes += chunk.length;
      budget.usedBytes += chunk.length;
      if (heldBytes > bounds.maxBodyBytes) refuse("too-large");
      else if (budget.usedBytes > bounds.maxBodiesBytes) refuse("too-busy");
    };
    const timer = system.schedule(bounds.maxBodyMs, () => settle({ ok: false, reason: refusal ?? "too-slow" }), {
      unref: true,
    });
    request.on("data", (chunk: Uint8Array) => {
      if (isSettled) return;
      if (refusal === undefined) {
        keep(chunk);
        return;
      }
      droppedBytes += chunk.length;
      if (droppedBytes > bounds.maxBodyBytes * maxDroppedBodies) settle({ ok: false, reason: refusal });
    });
    request.on("end", () => {
      if (refusal !== undefined) settle({ ok: false, reason: refusal });
      else settle({ ok: true, bytes: whole?.subarray(0, heldBytes) ?? joined(chunks, heldBytes), release });
    });
    request.on("error", () => settle({ ok: false, reason: "gone" }));
    request.on("close", () => settle({ ok: false, reason: "gone" }));
  });
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
}
