import { afterEach, beforeEach, expect, test } from "vitest";
import { createCounters } from "../events.ts";
import type { AgentStatus, FlowStatus } from "../options.ts";
import { fetchStatus, serveStatus, type StatusServer } from "./http.ts";

let server: StatusServer;
let status: AgentStatus = { flows: [] };
let isReady = false;

const flow = (more: Partial<FlowStatus> = {}): FlowStatus => ({
  flow: 'kinesis:clicks:/var/log/a"b\\c.log',
  counters: { ...createCounters(), recordsRead: 7, bytesSent: 1_234 },
  unsettledRecords: 3,
  trouble: undefined,
  stuckMs: 0,
  files: [{ path: "/a", generation: "g", status: "following", sizeBytes: 100, readBytes: 80, savedBytes: 60 }],
  ...more,
});

beforeEach(async () => {
  status = { flows: [flow()] };
  isReady = false;
  server = await serveStatus({ host: "127.0.0.1", port: 0, status: () => status, isReady: () => isReady });
});

afterEach(() => server.close());

async function ask(path: string, method = "GET"): Promise<{ code: number; type: string | null; body: string }> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { code: response.status, type: response.headers.get("content-type"), body: await response.text() };
}

test("/metrics gives every counter and gauge by flow and file, with labels that Prometheus can read", async () => {
  const { body, code, type } = await ask("/metrics");
  expect(code).toBe(200);
  expect(type).toBe("text/plain; version=0.0.4");
  const label = String.raw`flow="kinesis:clicks:/var/log/a\"b\\c.log"`;
  const lines = body.split("\n");
  expect(lines).toContain(`millrace_agent_records_read_total{${label}} 7`);
  expect(lines).toContain(`millrace_agent_bytes_sent_total{${label}} 1234`);
  expect(lines).toContain(`millrace_agent_unsettled_records{${label}} 3`);
  expect(lines).toContain(`millrace_agent_file_lag_bytes{${label},path="/a",generation="g"} 40`);
  expect(lines).toContain("millrace_agent_reload_successful 1");
  // One sample line for each type line, all of them of the exposition format.
  for (const line of lines.slice(0, -1)) {
    expect(line).toMatch(
      /^# (?:HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+\})? [\d.+Inf-]+$/,
    );
  }
  expect(lines.at(-1)).toBe("");
});

test("/metrics says that a flow has failed, and that a reload was refused", async () => {
  status = { flows: [flow({ stuckMs: null })], lastReload: { at: "now", ok: false, error: "flows: ..." } };
  const { body } = await ask("/metrics");
  expect(body).toMatch(/millrace_agent_stuck_seconds\{.*\} \+Inf/);
  expect(body).toContain("millrace_agent_reload_successful 0");
});

test("/healthz: idle is healthy, failing for a minute is not, and the flow and its trouble are named", async () => {
  expect(await ask("/healthz")).toMatchObject({ code: 200, body: "ok\n" });
  status = { flows: [flow({ stuckMs: 59_999, trouble: "throttled" })] };
  expect((await ask("/healthz")).code).toBe(200);
  status = { flows: [flow(), flow({ flow: "fh:lake:/b", stuckMs: 60_000, trouble: "AccessDenied" })] };
  expect(await ask("/healthz")).toMatchObject({ code: 503, body: "fh:lake:/b: AccessDenied\n" });
});

test("/readyz: ready once the agent has started", async () => {
  expect(await ask("/readyz")).toMatchObject({ code: 503, body: "not started\n" });
  isReady = true;
  expect(await ask("/readyz?verbose=1")).toMatchObject({ code: 200, body: "ok\n" });
});

test("/status gives what the command prints; anything else is named", async () => {
  expect(await fetchStatus("127.0.0.1", server.port)).toEqual(JSON.parse(JSON.stringify(status)));
  expect(await ask("/nothing")).toMatchObject({ code: 404 });
  expect(await ask("/metrics", "POST")).toMatchObject({ code: 405 });
});

test("a port that nobody answers on, and a port that is taken, are rejections", async () => {
  await expect(
    serveStatus({ host: "127.0.0.1", port: server.port, status: () => status, isReady: () => true }),
  ).rejects.toThrow(/EADDRINUSE/);
  const { port } = server;
  await server.close();
  await expect(fetchStatus("127.0.0.1", port)).rejects.toThrow(/ECONNREFUSED/);
  server = await serveStatus({ host: "127.0.0.1", port: 0, status: () => status, isReady: () => true });
});
