/**
 * Pure. A fault as a command line writes it: `throttle=0.05`, `slow=0.1,delayMs=300,action=PutRecords`.
 */
import { ConfigError } from "@millrace/core/options";
import { Fault, type FaultOptions } from "./fault.ts";

const numbers: ReadonlySet<string> = new Set(["rate", "count", "delayMs", "jumpMs", "events", "statusCode"]);

/**
 * Reads `KIND[=RATE][,NAME=VALUE...]`; the names are those of `FaultOptions`, several actions are joined by `+`.
 * @throws {ConfigError} for a text that orders no fault.
 */
export function parseFault(text: string): FaultOptions {
  const [head = "", ...rest] = text.split(",");
  const [kind = "", rate] = head.split("=");
  const options: Record<string, unknown> = { kind };
  if (rate !== undefined) options["rate"] = readNumber("rate", rate);
  for (const part of rest) {
    const equals = part.indexOf("=");
    const name = part.slice(0, equals);
    const value = part.slice(equals + 1);
    if (equals < 1 || value === "") {
      throw new ConfigError({
        path: "fault",
        got: part,
        expected: "NAME=VALUE",
        hint: "As in throttle=0.05,count=10.",
      });
    }
    options[name] = numbers.has(name) ? readNumber(name, value) : name === "action" ? value.split("+") : value;
  }
  // A fault checks what it is made from.
  return new Fault(options as unknown as FaultOptions).options;
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) {
    throw new ConfigError({ path: `fault.${name}`, got: text, expected: "a number" });
  }
  return value;
}
