/**
 * Pure. CSVTOJSON: the columns of a record under names, with quoting as RFC 4180 has it.
 */
import { parse } from "csv-parse/sync";
import { jsonRecord, textOf, type Transform, TransformError } from "./transform.ts";

/** A missing column is null; columns without a name are left out; every value is a string. */
export function csvToJson(options: {
  readonly customFieldNames: readonly string[];
  readonly delimiter: string;
  readonly jsonFormat: "COMPACT" | "PRETTYPRINT";
}): Transform {
  const { customFieldNames, delimiter, jsonFormat } = options;
  return (data) => {
    const columns = columnsOf(textOf(data).replace(/\r?\n$/, ""), delimiter);
    return jsonRecord(
      Object.fromEntries(customFieldNames.map((name, index) => [name, columns[index] ?? null])),
      jsonFormat,
    );
  };
}

function columnsOf(text: string, delimiter: string): readonly string[] {
  try {
    // A quote inside an unquoted column is a character of it, as it is to the Kinesis Agent.
    const rows = parse(text, { delimiter, relax_quotes: true, relax_column_count: true, trim: false });
    return rows[0] ?? [];
  } catch (error) {
    throw new TransformError(`not a line of CSV (${(error as { code?: string }).code ?? "CSV"})`);
  }
}
