import { expect, it } from "vitest";

import { classifyFailure } from "./errors.ts";

it.each([
  ["ProvisionedThroughputExceededException", 400, "throttle"],
  ["LimitExceededException", 400, "throttle"],
  ["KMSThrottlingException", 400, "throttle"],
  ["SomethingNew", 429, "throttle"],
  ["InternalFailure", 500, "transient"],
  ["ServiceUnavailable", 503, "transient"],
  ["SomethingNew", 502, "transient"],
  ["ECONNRESET", undefined, "transient"],
  // Credentials come back: the SDK fetches new ones, and a fleet must live through their expiry.
  ["ExpiredTokenException", 400, "transient"],
  ["RequestTimeout", 408, "transient"],
  ["ResourceNotFoundException", 400, "permanent"],
  ["AccessDeniedException", 400, "permanent"],
  ["ValidationException", 400, "permanent"],
  ["KMSDisabledException", 400, "permanent"],
  ["UnrecognizedClientException", 403, "permanent"],
] as const)("%s with status %s is %s", (code, status, kind) => {
  expect(classifyFailure(code, status)).toBe(kind);
});
