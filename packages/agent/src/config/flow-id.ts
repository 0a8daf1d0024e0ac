/**
 * Pure. The name of a flow, under which its positions are saved.
 * Source: the ids that the Kinesis Agent keeps in its checkpoints.
 */
import type { FlowConfig } from "./schema.ts";

/** The names that the Kinesis Agent has for a flow, which has one pattern there: one for each pattern of this. */
export function kinesisAgentIdsOf(flow: Parameters<typeof flowIdOf>[0]): string[] {
  return flow.filePattern.map((pattern) => flowIdOf({ ...flow, filePattern: [pattern] }));
}

/** Its destination and patterns. A delivery stream goes before a stream, as it does for the Kinesis Agent. */
export function flowIdOf(flow: Pick<FlowConfig, "deliveryStream" | "kinesisStream" | "filePattern">): string {
  const { deliveryStream, filePattern, kinesisStream } = flow;
  const destination = deliveryStream === undefined ? `kinesis:${kinesisStream}` : `fh:${deliveryStream}`;
  return `${destination}:${filePattern.join(",")}`;
}
