/**
 * Pure. Java regular expressions, as agent.json holds them, in JavaScript.
 *
 * Most of the two languages is the same. What differs is translated where it can be, and refused where it cannot: a
 * pattern that quietly means something else would cut records in the wrong place.
 * Source: the documentation of `java.util.regex.Pattern`, Java SE 17.
 */

export type CompiledPattern =
  | { readonly ok: true; readonly pattern: RegExp }
  | { readonly ok: false; readonly problem: string };

/** POSIX classes of Java that JavaScript writes otherwise (US-ASCII only, as in Java). */
const classes: ReadonlyMap<string, string> = new Map([
  ["Lower", "a-z"],
  ["Upper", "A-Z"],
  ["ASCII", "\\x00-\\x7F"],
  ["Alpha", "a-zA-Z"],
  ["Digit", "0-9"],
  ["Alnum", "a-zA-Z0-9"],
  ["Punct", "!-\\/:-@\\[-`{-~"],
  ["Graph", "!-~"],
  ["Print", " -~"],
  ["Blank", " \\t"],
  ["Cntrl", "\\x00-\\x1F\\x7F"],
  ["XDigit", "0-9a-fA-F"],
  ["Space", " \\t\\n\\x0B\\f\\r"],
]);

/** Compiles a pattern to match from the start of a text, the whole of it, or anywhere in it. */
export function compileJavaPattern(source: string, anchor: "start" | "whole" | "anywhere"): CompiledPattern {
  const flags = /^\(\?([imsx]+)\)/.exec(source);
  const letters = flags?.[1] ?? "";
  if (letters.includes("x")) return { ok: false, problem: "the flag (?x) is not supported" };
  const translated = translate(source.slice(flags?.[0].length ?? 0));
  if (!translated.ok) return translated;
  const problem = backtracksCatastrophically(translated.text);
  if (problem !== undefined) return { ok: false, problem };
  const body = `(?:${translated.text})`;
  const anchored = { start: `^${body}`, whole: `^${body}$`, anywhere: body }[anchor];
  try {
    return { ok: true, pattern: new RegExp(anchored, letters) };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

type Translated = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

function translate(source: string): Translated {
  let text = "";
  let isInClass = false;
  let followsQuantifier = false;
  for (let index = 0; index < source.length; index++) {
    const character = source[index] ?? "";
    const isPossessive = followsQuantifier && character === "+";
    followsQuantifier = !isInClass && "*+?}".includes(character);
    if (character === "\\") {
      const escape = translateEscape(source, index, isInClass);
      if (!escape.ok) return escape;
      text += escape.text;
      index = escape.end;
      continue;
    }
    if (isInClass) {
      if (character === "[" || source.startsWith("&&", index)) {
        return { ok: false, problem: "character classes inside character classes are not supported" };
      }
      if (character === "]") isInClass = false;
    } else if (character === "[") {
      isInClass = true;
    } else if (isPossessive) {
      return { ok: false, problem: "possessive quantifiers such as *+ are not supported" };
    } else if (source.startsWith("(?>", index)) {
      return { ok: false, problem: "atomic groups (?>...) are not supported" };
    }
    text += character;
  }
  return { ok: true, text };
}

function translateEscape(
  source: string,
  index: number,
  isInClass: boolean,
):
  | { readonly ok: true; readonly text: string; readonly end: number }
  | { readonly ok: false; readonly problem: string } {
  const next = source[index + 1] ?? "";
  const inClass = (content: string) => (isInClass ? content : `[${content}]`);
  if (next === "Q") {
    const end = source.indexOf("\\E", index + 2);
    const quoted = source.slice(index + 2, end < 0 ? source.length : end);
    return {
      ok: true,
      text: quoted.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`),
      end: end < 0 ? source.length : end + 1,
    };
  }
  if (next === "p" || next === "P") {
    const name = /^\{(\w+)\}/.exec(source.slice(index + 2))?.[1];
    const content = name === undefined ? undefined : classes.get(name);
    if (name === undefined || content === undefined || (next === "P" && isInClass)) {
      return { ok: false, problem: `the class ${source.slice(index, index + 10)} is not supported` };
    }
    return { ok: true, text: next === "P" ? `[^${content}]` : inClass(content), end: index + name.length + 3 };
  }
  if (next === "h") return { ok: true, text: inClass(" \\t\\xA0"), end: index + 1 };
  if (next === "R" && !isInClass) return { ok: true, text: "(?:\\r\\n|[\\n\\r])", end: index + 1 };
  if (next === "A" && !isInClass) return { ok: true, text: "^", end: index + 1 };
  if ((next === "z" || next === "Z") && !isInClass) return { ok: true, text: "$", end: index + 1 };
  if (next === "G" || next === "X") return { ok: false, problem: `\\${next} is not supported` };
  return { ok: true, text: `\\${next}`, end: index + 1 };
}

/**
 * What is wrong with a repetition inside a repetition, such as `(a+)+`: on a line that nearly matches it takes time
 * exponential in the line's length. A heuristic that lets through a group whose own repetitions are bounded.
 */
function backtracksCatastrophically(source: string): string | undefined {
  const groups: { hasRepetition: boolean }[] = [];
  let isInClass = false;
  for (let index = 0; index < source.length; index++) {
    const character = source[index];
    if (character === "\\") index += 1;
    else if (isInClass) isInClass = character !== "]";
    else if (character === "[") isInClass = true;
    else if (character === "(") groups.push({ hasRepetition: false });
    else if (character === ")") {
      const group = groups.pop();
      const isRepeated = isUnbounded(source, index + 1);
      if (group?.hasRepetition === true && isRepeated) {
        return "a repetition inside a repeated group can take exponential time";
      }
      const outer = groups.at(-1);
      if (outer !== undefined && (isRepeated || group?.hasRepetition === true)) outer.hasRepetition = true;
    } else if (isUnbounded(source, index)) {
      const group = groups.at(-1);
      // A repetition that a fixed character must follow or precede cannot be split in many ways, but telling that
      // takes more than a look: `(\w+\s)*` is refused too.
      if (group !== undefined) group.hasRepetition = true;
    }
  }
  return undefined;
}

function isUnbounded(source: string, index: number): boolean {
  return source[index] === "*" || source[index] === "+" || /^\{\d+,\}/.test(source.slice(index, index + 8));
}
