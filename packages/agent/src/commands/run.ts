/**
 * Driver. `millrace-agent run`: tails until it is told to stop.
 */
import { describeError } from "@millrace/core/observe";
import { realSystem } from "@millrace/core/runtime";
import { Agent } from "../agent.ts";
import type { AgentConfig } from "../config/schema.ts";
import { lookAtConfig, watchConfig } from "../io/config-watch.ts";
import { serveStatus, type StatusServer } from "../io/http.ts";
import { loadConfig } from "../io/load-config.ts";
import { createLogger, type Logger, onHangupSignal, onStopSignals } from "../io/process.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { logEvent } from "./log-events.ts";

export interface RunOptions {
  readonly config: string;
  /** Read every file to its end, and stop. */
  readonly once?: boolean | undefined;
}

/** Resolves with the exit code once the agent has stopped. */
export async function run(options: RunOptions): Promise<number> {
  const seen = lookAtConfig(options.config);
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
  const isReady = { value: false };
  let reloads: { stop(): Promise<void> } | undefined;
  let server: StatusServer | undefined;
  try {
    server = await answer(config, agent, { logger, isReady: () => isReady.value });
    agent.start();
    isReady.value = true;
    reloads = listenForChanges(options, agent, { config, logger, seen });
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
    await reloads?.stop();
    await server?.close();
    stopListening();
  }
}

/** Answers over HTTP where the configuration asks for it. */
async function answer(
  config: AgentConfig,
  agent: Agent,
  { isReady, logger }: { readonly isReady: () => boolean; readonly logger: Logger },
): Promise<StatusServer | undefined> {
  const { "http.host": host, "http.port": port } = config;
  if (port === undefined) return undefined;
  const status = () => ({ flows: agent.status(), lastReload: agent.lastReload });
  const server = await serveStatus({ host, port, status, isReady });
  logger.info({ host, port: server.port }, "answering");
  return server;
}

/** Reloads the configuration at SIGHUP, and when its files change unless that is switched off. */
function listenForChanges(
  { config: path, once }: RunOptions,
  agent: Agent,
  { config, logger, seen }: { readonly config: AgentConfig; readonly logger: Logger; readonly seen: string },
): { stop(): Promise<void> } {
  const reload = (because: string) => {
    logger.info({ because, config: path }, "reloading");
    void reloadFrom(path, agent, logger);
  };
  // A run to the end of the files takes no new ones; without a listener SIGHUP would end it.
  const isWatched = once !== true && config.reloadOnChange;
  const stopHangups = onHangupSignal(() => (once === true ? undefined : reload("SIGHUP")));
  const watch = isWatched
    ? watchConfig({ path, seen, system: realSystem, onChange: () => reload("changed") })
    : undefined;
  return {
    async stop() {
      stopHangups();
      await watch?.stop();
    },
  };
}

/** What cannot be taken is refused with an event, and so logged; the configuration before it goes on. */
async function reloadFrom(path: string, agent: Agent, logger: Logger): Promise<void> {
  let level = logger.level;
  const load = () => {
    const { config, value } = loadConfig(path);
    level = config["log.level"];
    return value;
  };
  await agent.reload(load).catch(() => undefined);
  if (agent.lastReload?.ok === true) logger.level = level;
}
