/**
 * Pure. LOGTOJSON: the fields of well-known log lines, or of a pattern of the user's own.
 *
 * Every expression is linear in the length of the line: each repetition ends at a character that it cannot take.
 * Source: the field lists in the Kinesis Agent's documentation; Apache HTTP Server's documentation of its log formats;
 * RFC 3164 and RFC 5424 for the two kinds of syslog timestamp.
 */
import { jsonRecord, textOf, type Transform, TransformError } from "./transform.ts";

export const logFormatNames = [
  "COMMONAPACHELOG",
  "COMBINEDAPACHELOG",
  "APACHEERRORLOG",
  "SYSLOG",
  "RFC3339SYSLOG",
] as const;

export type LogFormatName = (typeof logFormatNames)[number];

interface LogFormat {
  readonly pattern: RegExp;
  readonly fields: readonly string[];
  /** `-` stands for no value. */
  readonly dashIsNull: boolean;
}

const common = String.raw`^(\S+) ([\w.-]+) ([\w.-]+) \[([\w:/]+\s[+-]\d{4})\] "([^"]*)" (\d{3}|-) (\d+|-)`;
const commonFields = ["host", "ident", "authuser", "datetime", "request", "response", "bytes"];
const process = String.raw`(?:<(\d+)\.(\d+)> )?(\S+) ([^\s:[]+)(?:\[(\d+)\])?: (.*)$`;
const syslogFields = ["timestamp", "hostname", "program", "processid", "message"];

const formats: Readonly<Record<LogFormatName, LogFormat>> = {
  COMMONAPACHELOG: { pattern: new RegExp(common), fields: commonFields, dashIsNull: true },
  COMBINEDAPACHELOG: {
    pattern: new RegExp(`${common} "([^"]*)" "([^"]*)"`),
    fields: [...commonFields, "referer", "agent"],
    dashIsNull: true,
  },
  APACHEERRORLOG: {
    pattern: /^\[([^\]]+)\] \[(?:([\w-]+):)?([\w-]+)\] \[pid (\d+)(?::tid (\d+))?\] (?:\[client ([^\]]+)\] )?(.*)$/s,
    fields: ["timestamp", "module", "severity", "processid", "threadid", "client", "message"],
    dashIsNull: true,
  },
  SYSLOG: {
    pattern: new RegExp(String.raw`^([A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2}) ${process}`, "s"),
    fields: syslogFields,
    dashIsNull: false,
  },
  RFC3339SYSLOG: {
    pattern: new RegExp(
      String.raw`^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})) ${process}`,
      "s",
    ),
    fields: syslogFields,
    dashIsNull: false,
  },
};

/** Groups of the facility stand before the host and are no fields. */
const facilityGroups: Readonly<Partial<Record<LogFormatName, readonly number[]>>> = {
  SYSLOG: [2, 3],
  RFC3339SYSLOG: [2, 3],
};

/** Bytes of a record that a pattern of the user's own is matched against at most. */
const patternInputMaxCharacters = 65_536;

/** The fields of a format, or of `pattern` under `fieldNames`. */
export function logToJson(options: {
  readonly logFormat: LogFormatName;
  readonly matchPattern: RegExp | undefined;
  readonly customFieldNames: readonly string[] | undefined;
  readonly jsonFormat: "COMPACT" | "PRETTYPRINT";
}): Transform {
  const { customFieldNames, jsonFormat, logFormat, matchPattern } = options;
  const format = formats[logFormat];
  const names = customFieldNames ?? format.fields;
  const left = matchPattern === undefined ? (facilityGroups[logFormat] ?? []) : [];
  return (data) => {
    const text = textOf(data).replace(/\r?\n$/, "");
    if (matchPattern !== undefined && text.length > patternInputMaxCharacters) {
      throw new TransformError(`a record of more than ${patternInputMaxCharacters} characters is not matched`);
    }
    const match = (matchPattern ?? format.pattern).exec(text);
    if (match === null)
      throw new TransformError(`not a line of ${matchPattern === undefined ? logFormat : "matchPattern"}`);
    const values = match.slice(1).filter((_, index) => !left.includes(index + 1));
    if (values.length !== names.length) throw new TransformError(`${values.length} groups for ${names.length} fields`);
    const entries = names.map((name, index): [string, string | null] => {
      const value: string | undefined = values[index];
      return [name, value === undefined || (format.dashIsNull && value === "-") ? null : value];
    });
    return jsonRecord(Object.fromEntries(entries), jsonFormat);
  };
}
