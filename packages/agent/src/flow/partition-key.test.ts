import { hash } from "node:crypto";
import { assert, property, string, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { parseKeyTemplate, partitionKeyOf, type PartitionKeyRule } from "./partition-key.ts";

const source = {
  path: "/var/log/shop/app.log",
  host: "web-1",
  data: Buffer.from('{"user":{"id":7,"a/b":"x"},"n":null}\n'),
};

function rule(template: string): PartitionKeyRule {
  const parsed = parseKeyTemplate(template);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { type: "template", parts: parsed.parts };
}

const keyOf = (template: string, data: Uint8Array = source.data) =>
  partitionKeyOf(rule(template), { ...source, data }, () => 0.5);

test.each([
  ["{file}", "app.log"],
  ["{path}", "/var/log/shop/app.log"],
  ["{host}-{file}", "web-1-app.log"],
  ["{random}", "500000"],
  ["shard {{1}}", "shard {1}"],
  ["{json:/user/id}", "7"],
  ["{json:/user/a~1b}", "x"],
  ["{json:/user}", '{"id":7,"a/b":"x"}'],
  ['{regex:"id":(\\d+)}', "7"],
  ["{regex:user}", "user"],
  ["{regex:i{1}d}", "id"],
])("%s gives %s", (template, key) => {
  expect(keyOf(template)).toBe(key);
});

test.each(["{json:/nothing}", "{json:/n}", "{json:/user/id/deeper}", "{regex:nothing here}"])(
  "%s finds nothing, and the record goes somewhere all the same",
  (template) => {
    expect(keyOf(template)).toBe("500000");
    expect(keyOf(`a${template}`)).toBe("a");
  },
);

test("a record that is no JSON has nothing at a pointer", () => {
  expect(keyOf("{host}{json:/user}", Buffer.from("no json\n"))).toBe("web-1");
});

test.each([
  ["", "an empty template"],
  ["a}", 'a "}" without its "{" at character 2'],
  ["a{host", 'a "{" without its "}" at character 2'],
  ["{nothing}", "an unknown part {nothing}"],
  ["{json:user}", "an unknown part"],
  ["{regex:(}", "Invalid regular expression"],
])("%j is refused, and why is said", (template, problem) => {
  const parsed = parseKeyTemplate(template);
  expect(parsed.ok ? "" : parsed.problem).toContain(problem);
});

test("RANDOM gives six digits, DETERMINISTIC the MD5 of the record's own bytes", () => {
  expect(partitionKeyOf({ type: "random" }, source, () => 0.123_456_7)).toBe("123456");
  expect(partitionKeyOf({ type: "deterministic" }, source, () => 0)).toBe(hash("md5", source.data, "hex"));
});

test("[C6] a key has 1 to 256 characters, whatever the record and the path are", () => {
  assert(
    property(uint8Array(), string({ maxLength: 600 }), (data, path) => {
      for (const template of ["{path}", "{path}{regex:.+}", "{json:/a}"]) {
        const key = partitionKeyOf(rule(template), { data, path, host: "h" }, () => 0);
        expect(key.length).toBeGreaterThanOrEqual(1);
        expect(key.length).toBeLessThanOrEqual(256);
      }
    }),
  );
  expect(keyOf(`${"x".repeat(257)}{host}`)).toBe(hash("sha256", `${"x".repeat(257)}web-1`, "hex"));
});
