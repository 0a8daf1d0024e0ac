/** Pure. What a case of the contract is. */
import type { ServiceUnderTest } from "./service-under-test.ts";

export interface ContractCase {
  readonly name: string;
  /** The service's rule that the case holds, with its source. */
  readonly rule: string;
  /** Rejects where the service does not keep the rule. */
  readonly run: (service: ServiceUnderTest) => Promise<void>;
}

/** Where rules come from: the type docs of `@aws-sdk/client-kinesis` 3.1143.0, under the name of an action. */
export function documented(action: string, text: string): string {
  return `${text} [type docs of ${action}, @aws-sdk/client-kinesis 3.1143.0]`;
}

/** Rules that the documents leave open, as another emulator's tests recorded them from the service itself. */
export function recorded(text: string): string {
  return `${text} [recorded from the service by mhart/kinesalite: index.js, validations/, test/]`;
}
