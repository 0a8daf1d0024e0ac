/**
 * Pure. Checks of the options that are more than a number or a name.
 */
import { canCompress, type CompressionAlgorithm } from "@millrace/aggregation";
import type { Metrics } from "@millrace/core/observe";
import { choiceOption, ConfigError } from "@millrace/core/options";

/** @throws {ConfigError} for an algorithm that is unknown or that this runtime lacks, and without aggregation. */
export function compressionOption(options: {
  readonly compression?: string | undefined;
  readonly aggregation?: boolean | undefined;
}): "none" | CompressionAlgorithm {
  const compression = choiceOption("compression", options.compression, ["none", "gzip", "zstd"], "none");
  if (compression === "none") return compression;
  if (options.aggregation === false) {
    const hint = "A compressed record is an aggregate; leave aggregation on, or compression off.";
    throw new ConfigError({ path: "compression", got: compression, expected: '"none" without aggregation', hint });
  }
  if (canCompress(compression)) return compression;
  const hint = "zstd came with Node 22.15 and 23.8.";
  throw new ConfigError({ path: "compression", got: compression, expected: "an algorithm of this Node.js", hint });
}

/** @throws {ConfigError} for what takes no measurements. */
export function metricsOption(metrics: Metrics | undefined): Metrics | undefined {
  if (metrics === undefined || typeof (metrics as { record?: unknown } | null)?.record === "function") return metrics;
  throw new ConfigError({ path: "metrics", got: metrics, expected: "an object with a record function" });
}
