/**
 * Driver. Type-checks the code of the documents: every block marked `ts` in a README and under docs/ must compile
 * against the packages as they are.
 *
 * What a block takes for granted stands in a comment above it, which readers do not see, and which begins with `declare`
 * or `import`:
 * `<!-- declare const store: { insert(records: unknown): Promise<void> }; -->`
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { root, runCommand } from "./run-command.ts";

// Below test/, because its dependencies are all packages of the workspace.
const folder = `${root}test/node_modules/.cache/docs-code/`;
const block = /(?:<!-- ((?:declare|import) [^]*?) -->\n+)?^```ts\n([^]*?)^```$/gm;

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const origins = new Map<string, string>();
const documents = globSync(["*.md", "packages/*/*.md", "docs/**/*.md", "examples/**/*.md"], {
  cwd: root,
  exclude: (path) => path.includes("node_modules"),
});
for (const document of documents.toSorted()) {
  const text = readFileSync(root + document, "utf8");
  for (const [index, match] of [...text.matchAll(block)].entries()) {
    const [whole, declarations = "", code = ""] = match;
    const name = `${document.replaceAll(/[^\w]+/g, "-")}-${index + 1}.ts`;
    const line = text.slice(0, match.index + whole.indexOf("```ts")).split("\n").length;
    writeFileSync(folder + name, `${declarations}\n${code}\nexport {};\n`);
    origins.set(name, `${document}:${line}`);
  }
}

const settings = {
  extends: `${root}tsconfig.base.json`,
  compilerOptions: {
    noEmit: true,
    allowImportingTsExtensions: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    composite: false,
  },
  files: [...origins.keys()],
};
writeFileSync(`${folder}tsconfig.json`, JSON.stringify(settings));
if (origins.size > 0) {
  const result = await runCommand("tsc", ["-p", `${folder}tsconfig.json`, "--pretty", "false"]);
  let output = result.output;
  for (const [name, origin] of origins) output = output.replaceAll(new RegExp(`\\S*${name}`, "g"), `${origin} ${name}`);
  if (!result.ok) {
    console.log(output);
    process.exitCode = 1;
  }
}
