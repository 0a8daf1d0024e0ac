/**
 * Adapter. A small web server that writes an access log, and the requests that make it do so.
 */
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import { sleep, type System } from "@millrace/core/runtime";

import type { LogWriter } from "./source-file.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The date form of access logs: `10/Oct/2000:13:55:36 +0000`. */
export function logDate(epochMs: number): string {
  const [date = "", time = ""] = new Date(epochMs).toISOString().split("T");
  const [year, month, day] = date.split("-");
  return `${day}/${months[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}

export interface TrafficOptions {
  readonly log: LogWriter;
  readonly system: System;
  /** Requests in all; the log is rotated after half of them. */
  readonly requests: number;
  /** A live log grows at some pace; a host too slow for it takes longer. */
  readonly requestsPerSecond: number;
  /** No request is sent once this has passed. */
  readonly maxMs: number;
  readonly onLine: (line: Uint8Array) => void;
  readonly onRotate: () => void;
  readonly signal: AbortSignal;
}

/** Serves real requests on loopback until enough have come, each one line in the log. */
export async function serveTraffic(options: TrafficOptions): Promise<void> {
  const { log, system, signal } = options;
  let lines: Buffer[] = [];
  const server = createServer((incoming, response) => {
    const item = Number(incoming.url?.split("/")[2] ?? 0);
    const status = item % 50 === 0 ? 404 : 200;
    const body = status === 404 ? "no such item\n" : `item ${item}\n`;
    response.writeHead(status, { "content-type": "text/plain", "content-length": body.length }).end(body);
    const line = Buffer.from(
      `127.0.0.1 - - [${logDate(system.wallNow())}] "${incoming.method} ${incoming.url} HTTP/1.1" ` +
        `${status} ${body.length} "-" "${incoming.headers["user-agent"]}"\n`,
    );
    options.onLine(line);
    lines.push(line);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const startedAt = system.now();
  let sent = 0;
  let rotated = false;
  const flush = async () => {
    const waiting = lines;
    lines = [];
    await log.write(waiting);
  };
  try {
    while (sent < options.requests && system.now() - startedAt < options.maxMs && !signal.aborted) {
      const round = Math.min(64, options.requests - sent);
      const { port } = server.address() as AddressInfo;
      await Promise.all(
        Array.from({ length: round }, (_, index) =>
          get(agent, port, `/items/${1 + Math.floor(system.random() * 5000)}?visit=${sent + index}`),
        ),
      );
      sent += round;
      await flush();
      if (!rotated && sent >= options.requests / 2) {
        rotated = true;
        await log.rotate();
        options.onRotate();
      }
      const dueMs = startedAt + (1000 * sent) / options.requestsPerSecond - system.now();
      if (dueMs > 0) await sleep(system, dueMs, { signal });
    }
  } finally {
    agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await flush();
  }
}

function get(agent: Agent, port: number, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ agent, host: "127.0.0.1", port, path, headers: { "user-agent": "millrace-quickstart" } }, (response) => {
      response.resume().once("end", resolve).once("error", reject);
    })
      .once("error", reject)
      .end();
  });
}
