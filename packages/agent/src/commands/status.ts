/**
 * Driver. `millrace-agent status`: asks a running agent how it is.
 */
import { ConfigError } from "@millrace/core/options";
import { fetchStatus } from "../io/http.ts";
import { loadConfig } from "../io/load-config.ts";
import { findProblems } from "../operate/health.ts";
import { exitCode } from "./exit-code.ts";

/** Prints the status. The exit code says whether the agent is healthy. */
export async function status(options: { readonly config: string }, print: (text: string) => void): Promise<number> {
  const { config } = loadConfig(options.config);
  const port = config["http.port"];
  if (port === undefined || port === 0) {
    throw new ConfigError({
      path: "http.port",
      got: port,
      expected: "the port on which the agent answers",
      hint: 'Add "http.port": 9464 to the configuration of the agent.',
    });
  }
  let answer;
  try {
    answer = await fetchStatus(config["http.host"], port);
  } catch (error) {
    print(JSON.stringify({ problem: `no agent answers on port ${port}: ${(error as Error).message}` }));
    return exitCode.tryAgain;
  }
  print(JSON.stringify(answer, undefined, 2));
  return findProblems(answer.flows).length === 0 ? exitCode.done : exitCode.tryAgain;
}
