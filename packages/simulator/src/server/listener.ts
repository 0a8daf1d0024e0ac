/**
 * Adapter. One port for every way to speak to Kinesis: HTTP/1.1, HTTP/2 by prior knowledge, and TLS with either.
 *
 * The first bytes of a connection tell which it is:
 *
 *     0x16 ...              a TLS handshake; ALPN then picks h2 or http/1.1
 *     "PRI * HTTP/2.0\r\n"  the preface of HTTP/2 (RFC 9113, 3.4)
 *     anything else         HTTP/1.1
 */
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import type {
  Http2SecureServer,
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  ServerHttp2Session,
} from "node:http2";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { System } from "@millrace/core/runtime";
import type { Certificate } from "./certificate.ts";
import type { AnswerTarget, AnyResponse } from "./send-answer.ts";

/** Takes requests of either version: Node's HTTP/2 gives its requests and responses the shape of HTTP/1.1's. */
export type RequestHandler = (request: IncomingMessage, target: AnswerTarget) => void;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly certificate: Certificate;
  readonly onRequest: RequestHandler;
  /** Longest wait for a connection's first bytes, its TLS handshake, and a request's headers. */
  readonly maxHeadersMs: number;
  readonly system: System;
}

/** An open port. */
export interface Listener {
  readonly port: number;
  /** Breaks every connection; resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

type Http2RequestListener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

const preface = Buffer.from("PRI * HTTP/2.0\r\n");
const tlsHandshake = 0x16;

/** Longer than clients keep an idle connection, so that it is they who close it: the other way round loses requests. */
const keepAliveMs = 120_000;

/** Requests of one connection at a time. Source: RFC 9113 section 6.5.2 asks for at least 100. */
const maxConcurrentStreams = 1000;

/** @throws the system's error when the port cannot be had. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const sockets = new Map<string, Socket>();
  const onRequest = (request: IncomingMessage, response: AnyResponse) => {
    // Node keeps the socket under a session or a TLS connection to itself; the caller's address leads back to it.
    const caller = addressOf(response.stream?.session?.socket ?? request.socket);
    options.onRequest(request, { response, breakConnection: () => sockets.get(caller)?.resetAndDestroy() });
  };
  const onHttp2Request = onRequest as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  const http1 = createHttp1(options, onRequest);
  const http2 = createHttp2Server(http2Options(), onHttp2Request);
  const tls = createTls(options, onHttp2Request);
  for (const server of [http2, tls]) hardenHttp2(server);
  // These two never listen themselves, and Node watches over slow headers only from that event on.
  for (const server of [http1, tls]) server.emit("listening");
  const server = createNetServer({ noDelay: true }, (socket) => {
    const caller = addressOf(socket);
    sockets.set(caller, socket);
    socket.on("close", () => sockets.delete(caller));
    // A caller that leaves is not a failure of the server; whoever owns the request hears of it by `close`.
    socket.on("error", () => socket.destroy());
    sniff(socket, options, (first) => {
      if (first[0] === tlsHandshake) tls.emit("connection", socket);
      else if (first.length >= preface.length && preface.equals(first.subarray(0, preface.length))) {
        http2.emit("connection", socket);
      } else http1.emit("connection", socket);
    });
  });
  await listening(server, options);
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      (closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets.values()) socket.destroy();
        http1.close();
        http2.close();
        tls.close();
      })),
  };
}

/** Calls `route` with the first bytes once they tell the protocol, and leaves them in the socket to be read again. */
function sniff(socket: Socket, options: ListenerOptions, route: (first: Buffer) => void): void {
  const timer = options.system.schedule(options.maxHeadersMs, () => socket.destroy(), { unref: true });
  const stop = () => {
    timer.cancel();
    socket.off("readable", onReadable);
    socket.off("close", stop);
  };
  let first: Buffer = Buffer.alloc(0);
  const onReadable = () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    first = Buffer.concat([first, chunk]);
    // A preface that comes in pieces is waited for; its first bytes fit no other method.
    if (first.length < preface.length && preface.subarray(0, first.length).equals(first)) return;
    stop();
    socket.unshift(first);
    route(first);
  };
  socket.on("readable", onReadable);
  socket.on("close", stop);
}

function addressOf(socket: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined }) {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function createHttp1(
  options: ListenerOptions,
  onRequest: (request: IncomingMessage, response: AnyResponse) => void,
): HttpServer {
  return createHttpServer(
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: options.maxHeadersMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1000, options.maxHeadersMs),
      maxHeaderSize: 32_768,
    },
    onRequest,
  );
}

function http2Options() {
  return {
    settings: { initialWindowSize: 1 << 20, maxConcurrentStreams, maxHeaderListSize: 32_768 },
    maxSessionMemory: 64,
  };
}

function createTls(options: ListenerOptions, onRequest: Http2RequestListener): Http2SecureServer {
  const server = createSecureServer(
    {
      ...http2Options(),
      allowHTTP1: true,
      key: options.certificate.privateKeyPem,
      cert: options.certificate.certificatePem,
      handshakeTimeout: options.maxHeadersMs,
    },
    onRequest,
  );
  server.on("tlsClientError", (_error, socket: Duplex) => socket.destroy());
  return server;
}

function hardenHttp2(server: Http2Server | Http2SecureServer): void {
  // A session that breaks the protocol ends alone.
  server.on("sessionError", (_error: unknown, session?: ServerHttp2Session) => session?.destroy());
  server.on("session", (session: ServerHttp2Session) => session.setLocalWindowSize(1 << 24));
}

function listening(server: NetServer, options: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
