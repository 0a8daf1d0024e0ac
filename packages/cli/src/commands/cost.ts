/**
 * Adapter. `millrace cost`: what a month of a workload costs, without a call to anybody.
 */
import { listPrices } from "@millrace/simulator";
import { Command } from "commander";
import { monthlyCosts, type WayOfWriting, type Workload } from "../cost/monthly-cost.ts";
import { exitCodes } from "../exit-codes.ts";
import { table } from "../table.ts";
import { inProcess, readCount, type CommandProcess } from "./command-process.ts";

interface CostOptions extends Workload {
  readonly json?: boolean | undefined;
}

/** The command, for the program to mount. */
export function costCommand(): Command {
  return new Command("cost")
    .description("Say what a month of a workload costs on a provisioned stream, one by one and aggregated.")
    .requiredOption("--records-per-second <count>", "user records, over all producers", readCount(1))
    .requiredOption("--record-bytes <count>", "data of one user record, 0 to 1,048,000", readCount(0))
    .option("--shards <count>", "shards there are anyway (default: as few as the traffic needs)", readCount(1), 1)
    .option("--producers <count>", "producing processes, each with aggregates of its own", readCount(1), 1)
    .option("--linger-ms <count>", "longest wait of a record for others, recordMaxBufferedMs", readCount(0), 100)
    .option("--fan-out-consumers <count>", "consumers with enhanced fan-out", readCount(0), 0)
    .option("--json", "one JSON object instead of a table")
    .action((options: CostOptions) => inProcess((process) => Promise.resolve(cost(options, process))));
}

/** Prints the costs; gives the exit code. */
export function cost(options: CostOptions, { print }: CommandProcess): number {
  const ways = monthlyCosts(options, listPrices);
  if (options.json === true) print(JSON.stringify({ ways, prices: listPrices }));
  else for (const line of describe(ways)) print(line);
  return exitCodes.done;
}

function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

function describe(ways: readonly WayOfWriting[]): string[] {
  const rows = [
    ["a month", "Kinesis records/s", "shards", "puts", "shard hours", "fan-out", "total", "per million records"],
    ...ways.map((way) => [
      way.name,
      way.kinesisRecordsPerSecond.toFixed(1),
      String(way.shards),
      usd(way.putUsd),
      usd(way.shardUsd),
      usd(way.fanOutUsd),
      usd(way.totalUsd),
      `$${way.usdPerMillionRecords.toFixed(5)}`,
    ]),
  ];
  return [
    ...table(rows, [1, 2, 3, 4, 5, 6, 7]),
    `List prices of ${listPrices.region}, ${listPrices.asOf}: check them before you quote them.`,
  ];
}
