/**
 * Adapter. Asks the metadata service of EC2 (IMDSv2) what this host is.
 *
 * Source: EC2 User Guide, "Use the Instance Metadata Service", and AWS SDKs Reference Guide for the two variables of
 * the environment; read 2026-11-22.
 */
import { request } from "node:http";
import { describeError } from "@millrace/core/observe";
import { sleep, type System } from "@millrace/core/runtime";
import { type InstanceFields, instanceFields } from "../transform/ec2.ts";

const defaultEndpoint = "http://169.254.169.254";

/** All questions together: off EC2 nobody answers, and a flow waits for as long. */
const maxAskMs = 1_000;
/** How long a failure is believed. */
const retryEveryMs = 60_000;
const tokenTtlSeconds = "60";

/** Knows what this host is, and asks again when it has not for a while. */
export class InstanceMetadata {
  readonly #system: System;
  readonly #onMissing: (error: string) => void;
  #fields: InstanceFields | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  #asking: Promise<void> | undefined;

  /** `onMissing` is called with the first failure after a success or the start. */
  constructor(system: System, onMissing: (error: string) => void) {
    this.#system = system;
    this.#onMissing = onMissing;
  }

  /** What is known, at most `ttlMs` old where the service answers; undefined where it never has. */
  async get(ttlMs: number): Promise<InstanceFields | undefined> {
    const ageMs = this.#system.now() - this.#askedAtMs;
    if (ageMs >= (this.#hasFailed ? Math.min(ttlMs, retryEveryMs) : ttlMs)) {
      this.#asking ??= this.#ask();
      await this.#asking;
    }
    return this.#fields;
  }

  async #ask(): Promise<void> {
    try {
      this.#fields = await askService(this.#system);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#onMissing(describeError(error));
      this.#hasFailed = true;
    } finally {
      this.#askedAtMs = this.#system.now();
      this.#asking = undefined;
    }
  }
}

async function askService(system: System): Promise<InstanceFields> {
  if (process.env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") {
    throw new Error("AWS_EC2_METADATA_DISABLED is true");
  }
  const endpoint = process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? defaultEndpoint;
  const done = new AbortController();
  const late = new AbortController();
  const timer = sleep(system, maxAskMs, { signal: done.signal }).then(
    () => late.abort(new Error(`${endpoint} gave no answer within ${maxAskMs} ms`)),
    () => undefined,
  );
  try {
    const ask = (path: string, headers: Record<string, string>, method = "GET") =>
      call(new URL(path, endpoint), { method, headers, signal: late.signal });
    const token = await ask("/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": tokenTtlSeconds }, "PUT");
    const headers = { "x-aws-ec2-metadata-token": token };
    const document = await ask("/latest/dynamic/instance-identity/document", headers);
    const tags = await tagsOf((path) => ask(path, headers));
    return instanceFields(JSON.parse(document) as Record<string, unknown>, tags, system.wallNow());
  } catch (error) {
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    done.abort();
    await timer;
  }
}

/** The instance's tags; undefined where it does not give them away, which is how instances begin. */
async function tagsOf(ask: (path: string) => Promise<string>): Promise<Record<string, string> | undefined> {
  const root = "/latest/meta-data/tags/instance";
  let names: readonly string[];
  try {
    names = (await ask(root)).split("\n").filter((name) => name !== "");
  } catch (error) {
    if ((error as { status?: unknown }).status === 404) return undefined;
    throw error;
  }
  const entries = await Promise.all(
    names.map(async (name) => [name, await ask(`${root}/${encodeURIComponent(name)}`)]),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function call(
  url: URL,
  options: { readonly method: string; readonly headers: Record<string, string>; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0 } = response;
        if (status === 200) resolve(body);
        else reject(Object.assign(new Error(`${url.pathname} was answered with ${status}`), { status }));
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}
