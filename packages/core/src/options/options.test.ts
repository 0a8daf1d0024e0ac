import { describe, expect, it } from "vitest";

import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  clientOption,
  ConfigError,
  functionOption,
  integerOption,
  nearestName,
  signalOption,
  textOption,
} from "./config-error.ts";
import { parseStreamArn, streamOption } from "./stream-option.ts";

/** The text of the ConfigError that `check` throws. */
function complaint(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "nothing was thrown";
}

describe("option checks", () => {
  const bounds = { min: 1, max: 10, fallback: 5 };

  it("takes the fallback only where nothing came", () => {
    expect(integerOption("n", undefined, bounds)).toBe(5);
    expect(integerOption("n", 10, bounds)).toBe(10);
    expect(booleanOption("b", undefined, true)).toBe(true);
    expect(booleanOption("b", false, true)).toBe(false);
    expect(choiceOption("c", undefined, ["a", "b"], "a")).toBe("a");
    expect(textOption("t", undefined)).toBeUndefined();
    expect(functionOption("f", undefined)).toBeUndefined();
  });

  it.each([0, 11, 1.5, Number.NaN, "3", null, {}])("refuses %s for an integer from 1 to 10", (value) => {
    expect(() => integerOption("n", value, bounds)).toThrow(ConfigError);
  });

  it("names the option, what came and what was expected", () => {
    expect(complaint(() => integerOption("recordTtlMs", "soon", bounds))).toBe(
      'recordTtlMs: expected an integer from 1 to 10, got "soon".',
    );
    expect(complaint(() => choiceOption("ordering", "key", ["none", "perKey"], "none"))).toBe(
      'ordering: expected "none" or "perKey", got "key".',
    );
    expect(complaint(() => booleanOption("aggregation", "yes", true))).toBe(
      'aggregation: expected true or false, got "yes".',
    );
    expect(complaint(() => textOption("applicationName", " "))).toContain("a string that is not empty");
    expect(complaint(() => functionOption("onEvent", 3 as never))).toBe("onEvent: expected a function, got 3.");
  });

  it("knows a client by its send, and a signal by its class", () => {
    const client = { send: () => undefined };
    expect(clientOption("client", client, "a KinesisClient")).toBe(client);
    expect(clientOption("client", undefined, "a KinesisClient")).toBeUndefined();
    expect(complaint(() => clientOption("client", {}, "a KinesisClient"))).toBe(
      "client: expected a KinesisClient, got an object (Object).",
    );
    expect(complaint(() => clientOption("client", null as never, "a KinesisClient"))).toContain("got null");
    const { signal } = new AbortController();
    expect(signalOption("signal", signal)).toBe(signal);
    expect(complaint(() => signalOption("signal", 5))).toBe("signal: expected an AbortSignal, got 5.");
  });

  it("keeps what could be a payload out of its text", () => {
    expect(complaint(() => integerOption("n", "x".repeat(61), bounds))).toContain("a string of 61 characters");
    expect(complaint(() => integerOption("n", { secret: "x" }, bounds))).not.toContain("secret");
  });

  it("points from a misspelt option to the one that was meant", () => {
    expect(complaint(() => checkOptionNames("ProducerOptions", { recordTTLms: 1 }, ["recordTtlMs", "client"]))).toBe(
      "ProducerOptions.recordTTLms: expected a known option, got 1. Did you mean recordTtlMs?",
    );
    expect(nearestName("zzzzzz", ["recordTtlMs"])).toBeUndefined();
    expect(complaint(() => checkOptionNames("ProducerOptions", "stream", []))).toContain("an object with options");
  });
});

describe("the stream option", () => {
  const arn = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/clicks";

  it("reads a name, or an ARN in its parts", () => {
    expect(streamOption({ streamName: "clicks" })).toEqual({ streamName: "clicks" });
    expect(streamOption({ streamArn: arn })).toEqual({ streamArn: arn, streamName: "clicks" });
    expect(parseStreamArn(arn)).toEqual({ region: "cn-north-1", accountId: "123456789012", streamName: "clicks" });
  });

  it("refuses none, both, and what can be neither", () => {
    expect(complaint(() => streamOption({}))).toContain("Give streamName or streamArn.");
    expect(complaint(() => streamOption({ streamName: "a", streamArn: arn }))).toContain("only one of");
    expect(complaint(() => streamOption({ streamName: "a stream" }))).toContain("streamName: expected a stream's name");
    expect(complaint(() => streamOption({ streamName: "x".repeat(129) }))).toContain("1 to 128");
    expect(complaint(() => streamOption({ streamArn: "arn:aws:sqs:eu-west-1:123456789012:q" }))).toContain("ARN like");
  });
});
