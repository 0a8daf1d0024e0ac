/**
 * Adapter. The simulator's server: a port on this host in front of a service.
 */
import type { IncomingMessage } from "node:http";
import { realSystem } from "@millrace/core/runtime";
import type { System } from "@millrace/core/runtime";
import type { CallContext, KinesisExecutor, SimulatorServer } from "../service-port.ts";
import { BlobMemory } from "./blob-memory.ts";
import { BodyBuffers } from "./body-buffers.ts";
import { createCertificate } from "./certificate.ts";
import { exchange, refusalAnswer } from "./exchange.ts";
import type { ExchangeOptions } from "./exchange.ts";
import { openListener } from "./listener.ts";
import { receiveBody } from "./receive-body.ts";
import type { BodyBudget } from "./receive-body.ts";
import { isGone, sendAnswer } from "./send-answer.ts";
import type { AnswerTarget, AnyResponse } from "./send-answer.ts";
import { resolveServerOptions } from "./server-options.ts";
import type { ServerOptions } from "./server-options.ts";

/** The service's wall clock and request ids. Waiting on sockets is by the host's clock, which they live in. */
export type ServiceTime = Pick<System, "wallNow" | "uuid">;

/** A server that runs. */
export interface WireServer extends SimulatorServer {
  readonly port: number;
  /** The same port by TLS, whatever `endpoint` says. */
  readonly tlsEndpoint: string;
  /** The server's own certificate authority, PEM: for NODE_EXTRA_CA_CERTS, or the `ca` of an https agent. */
  readonly caCertificate: string;
}

/**
 * Starts a server in front of `executor`.
 * @throws {ConfigError} for an option that cannot be.
 * @throws the system's error when the port cannot be had.
 */
export async function startServer(
  executor: KinesisExecutor,
  options: ServerOptions = {},
  time: ServiceTime = realSystem,
): Promise<WireServer> {
  const resolved = resolveServerOptions(options);
  const { host } = resolved;
  const certificate = createCertificate(realSystem.wallNow(), [host]);
  const budget: BodyBudget = { usedBytes: 0, buffers: new BodyBuffers() };
  const exchangeOptions: ExchangeOptions = {
    executor,
    accessKeys: resolved.accessKeys,
    memory: new BlobMemory(),
    wallNow: () => time.wallNow(),
  };
  const dateHeader = createDateHeader(time);

  const serve = async (request: IncomingMessage, target: AnswerTarget): Promise<void> => {
    const received = await receiveBody(request, resolved, budget, realSystem);
    const headers = { "x-amzn-requestid": time.uuid(), date: dateHeader() };
    if (!received.ok) {
      if (received.reason === "gone") return;
      // The rest of an unread body would be taken for the next request.
      const closes = request.httpVersionMajor === 1 && !request.complete ? { connection: "close" } : {};
      await sendAnswer(target, refusalAnswer(received.reason), { ...headers, ...closes });
      return;
    }
    const { method = "", url = "/" } = request;
    const signed = { method, url, headers: request.headers, body: received.bytes, release: () => received.release() };
    const answer = await exchange(signed, callerOf(target.response), exchangeOptions);
    await sendAnswer(target, answer, headers);
  };

  const listener = await openListener({
    host,
    port: resolved.port,
    certificate,
    maxHeadersMs: resolved.maxHeadersMs,
    system: realSystem,
    onRequest: (request, target) => {
      // A response whose caller has left emits an error for what is still written to it.
      target.response.on("error", () => {});
      void serve(request, target);
    },
  });
  const authority = `${host.includes(":") ? `[${host}]` : host}:${listener.port}`;
  return {
    port: listener.port,
    endpoint: `${resolved.tls ? "https" : "http"}://${authority}`,
    tlsEndpoint: `https://${authority}`,
    caCertificate: certificate.certificatePem,
    close: () => listener.close(),
  };
}

/** The caller's signal, made when the service asks for it: most calls are answered before they could wait. */
function callerOf(response: AnyResponse): CallContext {
  let controller: AbortController | undefined;
  return {
    get signal() {
      if (controller === undefined) {
        const created = new AbortController();
        controller = created;
        if (isGone(response)) created.abort();
        else response.on("close", () => created.abort());
      }
      return controller.signal;
    },
  };
}

/** The service's time as HTTP has it, computed once a second. */
function createDateHeader(time: ServiceTime): () => string {
  let second = Number.NaN;
  let text = "";
  return () => {
    const now = Math.floor(time.wallNow() / 1000);
    if (now !== second) {
      second = now;
      text = new Date(now * 1000).toUTCString();
    }
    return text;
  };
}
