/**
 * Adapter. What the agent answers over HTTP: `/metrics`, `/healthz`, `/readyz` and `/status`.
 */
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { findProblems } from "../operate/health.ts";
import { metricsText } from "../operate/metrics.ts";
import type { AgentStatus } from "../options.ts";

/** A server that answers until it is closed. */
export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers questions about the agent; `isReady` says whether it has started. Rejects when the port cannot be had. */
export function serveStatus(options: {
  readonly host: string;
  readonly port: number;
  readonly status: () => AgentStatus;
  readonly isReady: () => boolean;
}): Promise<StatusServer> {
  const { host, isReady, port, status } = options;
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (request.method !== "GET") answer(response, 405, "text/plain", "only GET\n");
    else if (path === "/metrics") answer(response, 200, "text/plain; version=0.0.4", metricsText(status()));
    else if (path === "/status") answer(response, 200, "application/json", JSON.stringify(status()));
    else if (path === "/healthz") answerProblems(response, findProblems(status().flows));
    else if (path === "/readyz") answerProblems(response, isReady() ? [] : ["not started"]);
    else answer(response, 404, "text/plain", "there are /metrics /healthz /readyz /status\n");
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.closeAllConnections();
          return new Promise((closed) => {
            server.close(() => closed());
          });
        },
      });
    });
  });
}

function answerProblems(response: ServerResponse, problems: readonly string[]): void {
  const isFine = problems.length === 0;
  answer(response, isFine ? 200 : 503, "text/plain", isFine ? "ok\n" : `${problems.join("\n")}\n`);
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body);
}

/** The status that a running agent gives. Rejects when none answers. */
export function fetchStatus(host: string, port: number): Promise<AgentStatus> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path: "/status", timeout: 5_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve(JSON.parse(body) as AgentStatus);
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 5 seconds")));
    request.on("error", reject);
  });
}
