/**
 * Pure. What is wrong with a glob. A matcher takes a bracket without its end for itself, and then matches nothing.
 */

/** Where a bracket or brace is not closed; undefined where the glob is well formed. */
export function globProblem(glob: string): string | undefined {
  const open: { readonly sign: string; readonly index: number }[] = [];
  for (let index = 0; index < glob.length; index++) {
    const sign = glob[index] ?? "";
    if (sign === "\\") index += 1;
    else if (sign === "[") {
      // A "]" right after the bracket, or after its negation, is one of its characters.
      const negated = /[!^]/.test(glob[index + 1] ?? "") ? 1 : 0;
      const end = glob.indexOf("]", index + 2 + negated);
      const slash = glob.indexOf("/", index);
      if (end < 0 || (slash >= 0 && slash < end)) return `a "[" without its "]" at character ${index + 1}`;
      index = end;
    } else if (sign === "{") open.push({ sign, index });
    else if (sign === "}" && open.pop() === undefined) return `a "}" without its "{" at character ${index + 1}`;
  }
  const unclosed = open.pop();
  return unclosed === undefined ? undefined : `a "{" without its "}" at character ${unclosed.index + 1}`;
}
