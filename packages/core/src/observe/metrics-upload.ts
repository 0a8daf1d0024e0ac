/**
 * Driver. Sends added-up metrics out, once in a while, for as long as there are any.
 */
import { integerOption, choiceOption, textOption, ConfigError } from "../options/config-error.ts";
import { realSystem, type System, type Timer } from "../runtime/system.ts";
import {
  embeddedMetricLines,
  MetricTree,
  putMetricDataInputs,
  type Metrics,
  type MetricScope,
  type MetricsGranularity,
  type MetricSeries,
  type MetricUnit,
  type PutMetricDataInput,
} from "./metrics.ts";

/** What every adapter of metrics is set up with. */
export interface MetricsUploadOptions {
  /**
   * 1 to 255 letters, digits and `. - _ / # :`, not beginning with `AWS/`.
   * @default "KinesisProducerLibrary", the KPL's; the KCL's is the application's name
   */
  readonly namespace?: string | undefined;
  /** How deep the series go; each is billed. @default "stream" (the KPL's is "shard") */
  readonly granularity?: MetricsGranularity | undefined;
  /** Time from the first measurement to the upload, in milliseconds. Integer, 1 to 60,000. @default 60,000 */
  readonly uploadDelayMs?: number | undefined;
  /** Gets what an upload failed with; its measurements are lost. @default a process warning */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Metrics that are uploaded. Close it after what it measures. */
export interface UploadedMetrics extends Metrics, AsyncDisposable {
  /** Uploads what there is. Never rejects. */
  flush(): Promise<void>;
  /** Uploads what there is, and stops. */
  close(): Promise<void>;
}

/**
 * Metrics for CloudWatch's API. Sending is yours, so that the CloudWatch client is no dependency:
 *
 *     cloudWatchMetrics({ send: (input) => cloudWatch.send(new PutMetricDataCommand(input)) })
 *
 * @throws {ConfigError} for an option that cannot be.
 */
export function cloudWatchMetrics(
  options: MetricsUploadOptions & { readonly send: (input: PutMetricDataInput) => Promise<unknown> },
  wiring: { readonly system?: System | undefined } = {},
): UploadedMetrics {
  if (typeof options.send !== "function") {
    throw new ConfigError({ path: "send", got: options.send, expected: "a function that sends PutMetricData" });
  }
  return new MetricsUpload(options, wiring.system ?? realSystem, async (series, namespace, wallMs) => {
    for (const input of putMetricDataInputs(series, namespace, wallMs)) await options.send(input);
  });
}

/**
 * Metrics as lines of CloudWatch's embedded metric format, which needs no API call: in Lambda they go to the log.
 * @throws {ConfigError} for an option that cannot be.
 */
export function embeddedMetrics(
  options: MetricsUploadOptions & { readonly write: (line: string) => void },
  wiring: { readonly system?: System | undefined } = {},
): UploadedMetrics {
  if (typeof options.write !== "function") {
    throw new ConfigError({ path: "write", got: options.write, expected: "a function that writes a line" });
  }
  return new MetricsUpload(options, wiring.system ?? realSystem, (series, namespace, wallMs) => {
    for (const line of embeddedMetricLines(series, namespace, wallMs)) options.write(line);
  });
}

type Upload = (series: readonly MetricSeries[], namespace: string, wallMs: number) => Promise<void> | void;

class MetricsUpload implements UploadedMetrics {
  readonly #tree: MetricTree;
  readonly #namespace: string;
  readonly #uploadDelayMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #system: System;
  readonly #upload: Upload;
  #timer: Timer | undefined;
  #uploading: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: MetricsUploadOptions, system: System, upload: Upload) {
    this.#tree = new MetricTree(
      choiceOption("granularity", options.granularity, ["global", "stream", "shard"], "stream"),
    );
    this.#namespace = namespaceOption(options.namespace);
    this.#uploadDelayMs = integerOption("uploadDelayMs", options.uploadDelayMs, {
      min: 1,
      max: 60_000,
      fallback: 60_000,
    });
    this.#onError = options.onError ?? warn;
    this.#system = system;
    this.#upload = upload;
  }

  record(name: string, unit: MetricUnit, value: number, scope: MetricScope, samples?: number): void {
    if (this.#isClosed) return;
    this.#tree.record(name, unit, value, scope, samples);
    // Armed by a measurement and not kept: a process that lies idle has no timer, and none is kept alive by metrics.
    this.#timer ??= this.#system.schedule(this.#uploadDelayMs, () => void this.flush(), { unref: true });
  }

  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#tree.isEmpty) {
      const series = this.#tree.take();
      this.#uploading = this.#uploading.then(() => this.#send(series));
    }
    return this.#uploading;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send(series: readonly MetricSeries[]): Promise<void> {
    try {
      await this.#upload(series, this.#namespace, this.#system.wallNow());
    } catch (error) {
      this.#onError(error);
    }
  }
}

/** Source: CloudWatch API reference, PutMetricData: 1 to 255 characters, of which `AWS/` at the beginning is AWS's own. */
function namespaceOption(value: string | undefined): string {
  const namespace = textOption("namespace", value) ?? "KinesisProducerLibrary";
  if (/^(?!AWS\/)[\w.#:/-]{1,255}$/.test(namespace)) return namespace;
  const expected = "1 to 255 letters, digits and . - _ / # :, not beginning with AWS/";
  throw new ConfigError({ path: "namespace", got: namespace, expected });
}

function warn(error: unknown): void {
  process.emitWarning(`Metrics were not uploaded: ${String(error)}`, { code: "MILLRACE_METRICS_NOT_UPLOADED" });
}
