// Says what is missing before a script fails with something obscure. Plain JavaScript, so that an old Node can read it.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
const fail = (text) => {
  console.error(`millrace: ${text}`);
  process.exit(1);
};

// 22.18 is the first release that runs TypeScript sources without a flag.
if (major < 22 || (major === 22 && minor < 18)) {
  fail(
    `the workspace's scripts need Node 22.18 or newer, this is ${process.versions.node}.\n` +
      "The npm package `node` normally brings Node 24 at installation; it did not here (another platform, or optional\n" +
      "dependencies switched off). Install Node 24 and run the command again.",
  );
}

// pnpm only warns when its automatic installation fails, and runs the script all the same.
const root = fileURLToPath(new URL("..", import.meta.url));
for (const name of ["vitest", "typescript"]) {
  if (!existsSync(`${root}node_modules/${name}/package.json`)) {
    fail("the dependencies are not installed. Run `npx -y pnpm@12.21.0 install` and read its first error.");
  }
}
