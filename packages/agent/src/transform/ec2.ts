/**
 * Pure. ADDEC2METADATA: what a host is, in every record.
 * Source: the fields and their names as the Kinesis Agent adds them; those of the instance identity document in the EC2
 * User Guide, read 2026-11-22.
 */
import { jsonRecord, textOf, type Transform, TransformError } from "./transform.ts";

/** What is added to records of a host. */
export interface InstanceFields {
  readonly privateIp: string | null;
  readonly availabilityZone: string | null;
  readonly instanceId: string | null;
  readonly instanceType: string | null;
  readonly accountId: string | null;
  readonly amiId: string | null;
  readonly region: string | null;
  /** When they were asked for: `2026-11-22T10:00:00+0000`. */
  readonly metadataTimestamp: string;
  /** By name in lower case; absent where the instance does not give its tags to its programs. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** The fields from an identity document and tags. Fields that the document lacks are null. */
export function instanceFields(
  document: Readonly<Record<string, unknown>>,
  tags: Readonly<Record<string, string>> | undefined,
  wallNowMs: number,
): InstanceFields {
  const textAt = (name: string) => (typeof document[name] === "string" ? document[name] : null);
  const lowered = Object.entries(tags ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    privateIp: textAt("privateIp"),
    availabilityZone: textAt("availabilityZone"),
    instanceId: textAt("instanceId"),
    instanceType: textAt("instanceType"),
    accountId: textAt("accountId"),
    amiId: textAt("imageId"),
    region: textAt("region"),
    metadataTimestamp: new Date(wallNowMs).toISOString().replace(/\.\d+Z$/, "+0000"),
    ...(tags === undefined ? {} : { tags: Object.fromEntries(lowered) as Record<string, string> }),
  };
}

/** Adds the fields to a JSON object. Where nothing is known of the host, records pass as they are. */
export function addInstanceFields(jsonFormat: "COMPACT" | "PRETTYPRINT"): Transform {
  return (data, { instance }) => {
    if (instance === undefined) return data;
    return jsonRecord({ ...objectIn(data), ...instance }, jsonFormat);
  };
}

function objectIn(data: Uint8Array): object {
  let value: unknown;
  try {
    value = JSON.parse(textOf(data));
  } catch {
    throw new TransformError("not a JSON object");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TransformError("not a JSON object");
}
