#!/usr/bin/env node
/**
 * Driver. The `millrace` command: one file for each subcommand in `commands/`.
 */
import { Command } from "commander";

import { costCommand } from "./commands/cost.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { leasesCommand } from "./commands/leases.ts";
import { putCommand } from "./commands/put.ts";
import { quickstartCommand } from "./commands/quickstart.ts";
import { resetCommand } from "./commands/reset.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { tailCommand } from "./commands/tail.ts";
import { exitCodes } from "./exit-codes.ts";

const program = new Command("millrace")
  .description("Producer, consumer and agent for Amazon Kinesis Data Streams.")
  .showHelpAfterError("Run with --help for the commands and their options.")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.done : exitCodes.usage));

for (const command of [
  quickstartCommand(),
  doctorCommand(),
  putCommand(),
  tailCommand(),
  leasesCommand(),
  resetCommand(),
  costCommand(),
  simulateCommand(),
])
  program.addCommand(command.copyInheritedSettings(program));

program.parseAsync().catch((error: unknown) => {
  console.error("millrace: this is a bug, please report it:", error);
  process.exitCode = exitCodes.bug;
});
