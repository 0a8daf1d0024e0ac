#!/usr/bin/env node
/**
 * Driver. `millrace-agent`: parses the command line and calls a command.
 */
import { Command, CommanderError } from "commander";
import { check } from "./commands/check.ts";
import { errorLine } from "./commands/error-line.ts";
import { exitCode, exitCodeOf } from "./commands/exit-code.ts";
import { listPositions, resetPositions } from "./commands/positions.ts";
import { run } from "./commands/run.ts";
import { status } from "./commands/status.ts";
import { defaultConfigPath } from "./io/load-config.ts";

const program = new Command("millrace-agent")
  .description("Ships every line of log files into Amazon Kinesis Data Streams.")
  .exitOverride()
  .showHelpAfterError("(add --help for the commands and options)");

program
  .command("run")
  .description("tail the files of the configuration until SIGTERM")
  .option("-c, --config <file>", "agent.json", defaultConfigPath)
  .option("--once", "read every file to its end, and stop")
  .action(async (options: { config: string; once?: boolean }) => {
    process.exitCode = await run(options);
  });

const print = (text: string) => process.stdout.write(`${text}\n`);

program
  .command("check")
  .description("print the effective configuration, the matched files and their positions; touch nothing")
  .option("-c, --config <file>", "agent.json", defaultConfigPath)
  .action(async (options: { config: string }) => {
    process.exitCode = await check(options, print);
  });

program
  .command("status")
  .description("ask the running agent, over its http.port, how it is")
  .option("-c, --config <file>", "agent.json", defaultConfigPath)
  .action(async (options: { config: string }) => {
    process.exitCode = await status(options, print);
  });

const positions = program.command("positions").description("saved positions, while the agent is stopped");
positions
  .command("list")
  .description("one JSON line per file generation")
  .option("-c, --config <file>", "agent.json", defaultConfigPath)
  .option("--flow <id>", "only this flow")
  .option("--path <file>", "only this file")
  .action((options: { config: string; flow?: string; path?: string }) => {
    process.exitCode = listPositions(options, print);
  });
positions
  .command("reset")
  .description("forget positions: the files are read from their start again")
  .option("-c, --config <file>", "agent.json", defaultConfigPath)
  .option("--flow <id>", "this flow")
  .option("--path <file>", "this file")
  .action((options: { config: string; flow?: string; path?: string }) => {
    process.exitCode = resetPositions(options, print);
  });

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.usage;
    return;
  }
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`${errorLine(error)}\n`);
});
