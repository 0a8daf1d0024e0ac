/**
 * Pure. `dataProcessingOptions`: a list of transforms, or one alone.
 */
import { z } from "zod";
import { addBrackets, addMetadata, singleLine } from "../transform/text.ts";
import { addInstanceFields } from "../transform/ec2.ts";
import { csvToJson } from "../transform/csv.ts";
import { logFormatNames, logToJson } from "../transform/log-formats.ts";
import { inOrder, type Transform } from "../transform/transform.ts";
import { choice, flag, integer, pattern, text } from "./values.ts";

const jsonFormat = choice(["COMPACT", "PRETTYPRINT"]).default("COMPACT");
const fieldNames = z.array(text(), "a list of names").min(1, "a list of at least one name");

const option = z.discriminatedUnion(
  "optionName",
  [
    z.strictObject({
      optionName: z.literal("SINGLELINE"),
      parseOptions: z
        .array(choice(["NO_TRIM", "ESCAPE_NEW_LINE"]), "a list of NO_TRIM and ESCAPE_NEW_LINE")
        .default([]),
    }),
    z.strictObject({
      optionName: z.literal("CSVTOJSON"),
      customFieldNames: fieldNames,
      delimiter: z.string("a string").min(1, "a string that is not empty").default(","),
      jsonFormat,
    }),
    z
      .strictObject({
        optionName: z.literal("LOGTOJSON"),
        logFormat: choice(logFormatNames),
        matchPattern: pattern("whole").optional(),
        customFieldNames: fieldNames.optional(),
        jsonFormat,
      })
      .refine((value) => value.matchPattern === undefined || value.customFieldNames !== undefined, {
        path: ["customFieldNames"],
        message: "the names of the pattern's groups: matchPattern needs them",
      }),
    z.strictObject({
      optionName: z.literal("ADDMETADATA"),
      metadata: z.record(z.string(), z.unknown(), "an object"),
      timestamp: flag().default(false),
      jsonFormat,
    }),
    z.strictObject({
      optionName: z.literal("ADDEC2METADATA"),
      metadataTTL: integer(1, 31_536_000).default(3_600),
      // The Kinesis Agent demands it here, and does nothing with it.
      logFormat: z.unknown().optional(),
      jsonFormat,
    }),
    z.strictObject({ optionName: z.literal("ADDBRACKETS") }),
  ],
  { error: () => "SINGLELINE, CSVTOJSON, LOGTOJSON, ADDMETADATA, ADDEC2METADATA or ADDBRACKETS as optionName" },
);

/** A list, or one option without the list around it. */
export const processingSchema = z.preprocess(
  (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? [value] : value),
  z.array(option, "a list of processing options"),
);

/** How old what is known of the host may be, in milliseconds; undefined where no transform asks for it. */
export function instanceTtlMs(options: z.output<typeof processingSchema>): number | undefined {
  const ttls = options.flatMap((each) => (each.optionName === "ADDEC2METADATA" ? [each.metadataTTL * 1_000] : []));
  return ttls.length === 0 ? undefined : Math.min(...ttls);
}

/** The transforms in order; undefined when there are none. */
export function transformOf(options: z.output<typeof processingSchema>): Transform | undefined {
  return inOrder(
    options.map((each) => {
      switch (each.optionName) {
        case "SINGLELINE":
          return singleLine(each.parseOptions);
        case "CSVTOJSON":
          return csvToJson(each);
        case "LOGTOJSON":
          return logToJson({ ...each, matchPattern: each.matchPattern, customFieldNames: each.customFieldNames });
        case "ADDMETADATA":
          return addMetadata(each);
        case "ADDEC2METADATA":
          return addInstanceFields(each.jsonFormat);
        default:
          return addBrackets;
      }
    }),
  );
}
