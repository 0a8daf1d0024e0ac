import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { generate } from "../scripts/generate.ts";

it("keeps the committed protobuf module as the schema generates it", async () => {
  for (const [name, content] of await generate()) {
    expect(readFileSync(new URL(`./generated/${name}`, import.meta.url), "utf8")).toBe(content);
  }
});
