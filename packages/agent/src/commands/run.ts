/**
 * Driver. `millrace-agent run`: tails until it is told to stop.
 */
import { describeError } from "@millrace/core/observe";
import { Agent } from "../agent.ts";
import { serveStatus, type StatusServer } from "../io/http.ts";
import { loadConfig } from "../io/load-config.ts";
import { createLogger, onHangupSignal, onStopSignals } from "../io/process.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { logEvent } from "./log-events.ts";

export interface RunOptions {
  readonly config: string;
  /** Read every file to its end, and stop. */
  readonly once?: boolean | undefined;
}

/** Resolves with the exit code once the agent has stopped. */
export async function run(options: RunOptions): Promise<number> {
  const { config, value } = loadConfig(options.config);
  const logger = createLogger(config["log.level"]);
  let end: ((code: number) => void) | undefined;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const agent = new Agent({
    config: value,
    onEvent: (event) => {
      logEvent(logger, event);
      if (event.type === "flow-failed") end?.(exitCode.tryAgain);
    },
  });
  const stopListening = onStopSignals((signal) => {
    logger.info({ signal }, "stopping");
    end?.(exitCode.done);
  });
  const stopHangups = onHangupSignal(() => {
    logger.warn("SIGHUP is ignored: a changed configuration takes effect with a restart");
  });
  const isReady = { value: false };
  const port = config["http.port"];
  let server: StatusServer | undefined;
  try {
    if (port !== undefined) {
      const host = config["http.host"];
      server = await serveStatus({ host, port, status: () => agent.status(), isReady: () => isReady.value });
      logger.info({ host, port: server.port }, "answering");
    }
    agent.start();
    isReady.value = true;
    logger.info({ config: options.config, flows: config.flows.length }, "started");
    const drained = options.once === true ? agent.drain().then(() => exitCode.done) : undefined;
    const code = await (drained === undefined ? ended : Promise.race([ended, drained]));
    await agent.close();
    logger.info({ code }, "stopped");
    return code;
  } catch (error) {
    logger.fatal({ error: describeError(error) }, "failed");
    return exitCodeOf(error);
  } finally {
    await server?.close();
    stopListening();
    stopHangups();
  }
}
