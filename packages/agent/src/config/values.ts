/**
 * Pure. The kinds of values in agent.json, as the Kinesis Agent reads them: booleans and numbers may be strings.
 *
 * The message of each issue is what was expected; `load.ts` adds the path, what came, and a hint.
 */
import { z } from "zod";
import { compileJavaPattern } from "./java-pattern.ts";

const truths = new Set(["true", "yes", "t", "y", "1"]);
const untruths = new Set(["false", "no", "f", "n", "0"]);

/** True or false, also as `"yes"`, `"n"`, `1` and the like. */
export function flag() {
  return z.unknown().transform((value, context) => {
    const word = String(value).toLowerCase();
    if (["boolean", "string", "number"].includes(typeof value)) {
      if (truths.has(word)) return true;
      if (untruths.has(word)) return false;
    }
    context.addIssue({ code: "custom", message: "true or false" });
    return z.NEVER;
  });
}

/** An integer from `min` to `max`, also as a string. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z.unknown().transform((value, context) => {
    const number = typeof value === "string" && /^\s*-?\d+\s*$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= min && number <= max) return number;
    const expected =
      max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
}

/** A string with something in it. */
export function text() {
  return z.string("a string that is not empty").refine((value) => value.trim() !== "", "a string that is not empty");
}

/** One of some words, exactly as written. */
export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, words.map((word) => JSON.stringify(word)).join(" or "));
}

/** A string or a list of strings. */
export function texts() {
  return z.union([text().transform((one) => [one]), z.array(text())], "a string or a list of strings");
}

/** A Java regular expression. `anchor` says which part of a line it has to match. */
export function pattern(anchor: "start" | "whole") {
  return text().transform((source, context) => {
    const compiled = compileJavaPattern(source, anchor);
    if (compiled.ok) return compiled.pattern;
    context.addIssue({ code: "custom", message: `a regular expression (${compiled.problem})` });
    return z.NEVER;
  });
}
