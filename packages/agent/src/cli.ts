#!/usr/bin/env node
/**
 * Driver. `millrace-agent`: parses the command line and calls a command.
 */
import { Command, CommanderError } from "commander";
import { ConfigError } from "@millrace/core/options";
import { describeError } from "@millrace/core/observe";
import { exitCode, exitCodeOf } from "./commands/exit-code.ts";
import { run } from "./commands/run.ts";
import { defaultConfigPath } from "./io/load-config.ts";

const program = new Command("millrace-agent")
  .description("Ships every line of log files into Amazon Kinesis Data Streams.")
  .exitOverride()
  .showHelpAfterError("(add --help for the commands and options)");

program
  .command("run")
  .description("tail the files of the configuration until SIGTERM")
  .option("-c, --config <file>", "agent.json", defaultConfigPath)
  .action(async (options: { config: string }) => {
    process.exitCode = await run(options);
  });

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.usage;
    return;
  }
  process.exitCode = exitCodeOf(error);
  const detail =
    error instanceof ConfigError
      ? { path: error.path, got: error.got, expected: error.expected, hint: error.hint }
      : { stack: error instanceof Error ? error.stack : undefined };
  process.stderr.write(`${JSON.stringify({ level: "fatal", msg: describeError(error), ...detail })}\n`);
});
