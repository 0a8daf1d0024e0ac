/**
 * Driver. Tags and resource policies of streams and consumers.
 *
 * Source: type docs of each action in `@aws-sdk/client-kinesis` 3.1143.0.
 */
import { ServiceError } from "../service-error.ts";
import type { ServiceOutput } from "../service-port.ts";
import type { ServiceState } from "../service-state.ts";
import type { InputOf } from "../shapes/shape.ts";
import type { Inputs } from "./inputs.ts";

export function addTagsToStream(state: ServiceState, input: InputOf<Inputs["AddTagsToStream"]>): ServiceOutput {
  return addTags(state, state.stream(input).tags, input.Tags);
}

export function removeTagsFromStream(
  state: ServiceState,
  input: InputOf<Inputs["RemoveTagsFromStream"]>,
): ServiceOutput {
  const { tags } = state.stream(input);
  for (const key of input.TagKeys) tags.delete(key);
  return {};
}

export function listTagsForStream(state: ServiceState, input: InputOf<Inputs["ListTagsForStream"]>): ServiceOutput {
  const after = input.ExclusiveStartTagKey ?? "";
  const all = sortedTags(state.stream(input).tags).filter((tag) => tag.Key > after);
  const page = all.slice(0, input.Limit ?? 50);
  return { Tags: page, HasMoreTags: page.length < all.length };
}

export function tagResource(state: ServiceState, input: InputOf<Inputs["TagResource"]>): ServiceOutput {
  return addTags(state, resource(state, input.ResourceARN).tags, input.Tags);
}

export function untagResource(state: ServiceState, input: InputOf<Inputs["UntagResource"]>): ServiceOutput {
  const { tags } = resource(state, input.ResourceARN);
  for (const key of input.TagKeys) tags.delete(key);
  return {};
}

export function listTagsForResource(state: ServiceState, input: InputOf<Inputs["ListTagsForResource"]>): ServiceOutput {
  return { Tags: sortedTags(resource(state, input.ResourceARN).tags) };
}

export function putResourcePolicy(state: ServiceState, input: InputOf<Inputs["PutResourcePolicy"]>): ServiceOutput {
  const { arn } = resource(state, input.ResourceARN);
  if (!isJsonObject(input.Policy)) {
    throw new ServiceError("InvalidArgumentException", "Policy is not a JSON document.");
  }
  state.policies.set(arn, input.Policy);
  return {};
}

export function getResourcePolicy(state: ServiceState, input: InputOf<Inputs["GetResourcePolicy"]>): ServiceOutput {
  return { Policy: policyOf(state, input.ResourceARN) };
}

export function deleteResourcePolicy(
  state: ServiceState,
  input: InputOf<Inputs["DeleteResourcePolicy"]>,
): ServiceOutput {
  policyOf(state, input.ResourceARN);
  state.policies.delete(input.ResourceARN);
  return {};
}

function policyOf(state: ServiceState, resourceArn: string): string {
  const policy = state.policies.get(resource(state, resourceArn).arn);
  if (policy === undefined) {
    throw new ServiceError("ResourceNotFoundException", `No resource policy found for ${resourceArn}.`);
  }
  return policy;
}

function resource(state: ServiceState, arn: string): { readonly arn: string; readonly tags: Map<string, string> } {
  if (arn.includes("/consumer/")) {
    const { consumer } = state.consumer({ ConsumerARN: arn });
    return { arn: consumer.consumerArn, tags: consumer.tags };
  }
  const stream = state.stream({ StreamARN: arn });
  return { arn: stream.streamArn, tags: stream.tags };
}

/**
 * Adds tags to those that are there.
 * @throws {ServiceError} InvalidArgumentException for a reserved key; LimitExceededException for too many.
 */
export function addTags(
  state: ServiceState,
  tags: Map<string, string>,
  more: Readonly<Record<string, string>>,
): ServiceOutput {
  const reserved = Object.keys(more).find((key) => key.toLowerCase().startsWith("aws:"));
  if (reserved !== undefined) {
    throw new ServiceError("InvalidArgumentException", `Tag key ${reserved} begins with the reserved prefix aws:.`);
  }
  const together = new Map([...tags, ...Object.entries(more)]);
  if (together.size > state.limits.tagsPerResource) {
    throw new ServiceError(
      "LimitExceededException",
      `A resource can have ${state.limits.tagsPerResource} tags, and it would have ${together.size}.`,
    );
  }
  for (const [key, value] of together) tags.set(key, value);
  return {};
}

function sortedTags(tags: ReadonlyMap<string, string>): readonly { readonly Key: string; readonly Value: string }[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value })).toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
