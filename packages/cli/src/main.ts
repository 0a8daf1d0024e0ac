#!/usr/bin/env node
/**
 * Driver. The `millrace` command: one file for each subcommand in `commands/`.
 */
import { Command } from "commander";

import { quickstartCommand } from "./commands/quickstart.ts";
import { simulateCommand } from "./commands/simulate.ts";

// Source: sysexits.h, EX_USAGE and EX_SOFTWARE.
const exitUsage = 64;
const exitBug = 70;

const program = new Command("millrace")
  .description("Producer, consumer and agent for Amazon Kinesis Data Streams.")
  .showHelpAfterError("Run with --help for the commands and their options.")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage));

for (const command of [quickstartCommand(), simulateCommand()])
  program.addCommand(command.copyInheritedSettings(program));

program.parseAsync().catch((error: unknown) => {
  console.error("millrace: this is a bug, please report it:", error);
  process.exitCode = exitBug;
});
