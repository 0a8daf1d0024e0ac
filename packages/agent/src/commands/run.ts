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
import { type ServiceManager, serviceManager } from "../io/service-manager.ts";
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
  const manager = serviceManager(process.env, (problem) => logger.warn({ problem }, "systemd is not told"));
  const isReady = { value: false };
  let reloads: { stop(): Promise<void> } | undefined;
  let server: StatusServer | undefined;
  try {
    server = await answer(config, agent, { logger, isReady: () => isReady.value });
    agent.start();
    isReady.value = true;
    reloads = listenForChanges(options, agent, { config, logger, manager, seen });
    logger.info({ config: options.config, flows: config.flows.length }, "started");
    await manager.notify("READY=1");
    manager.startWatchdog(realSystem, () => statusLine(agent));
    const drained = options.once === true ? agent.drain().then(() => exitCode.done) : undefined;
    const code = await (drained === undefined ? ended : Promise.race([ended, drained]));
    void manager.notify("STOPPING=1");
    await agent.close();
    logger.info({ code }, "stopped");
    return code;
  } catch (error) {
    logger.fatal({ error: describeError(error) }, "failed");
    return exitCodeOf(error);
  } finally {
    await reloads?.stop();
    await manager.stop();
    await server?.close();
    stopListening();
  }
}

/** What `systemctl status` shows. */
function statusLine(agent: Agent): string {
  const flows = agent.status();
  const sent = flows.reduce((sum, { counters }) => sum + counters.recordsSent, 0);
  const troubled = flows.filter(({ trouble }) => trouble !== undefined).length;
  return `${flows.length} flows, ${sent} records sent${troubled === 0 ? "" : `, ${troubled} flows wait to send again`}`;
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
  around: {
    readonly config: AgentConfig;
    readonly logger: Logger;
    readonly manager: ServiceManager;
    readonly seen: string;
  },
): { stop(): Promise<void> } {
  const { config, logger, manager, seen } = around;
  const reload = async (because: string) => {
    logger.info({ because, config: path }, "reloading");
    void manager.notify("RELOADING=1");
    await reloadFrom(path, agent, logger);
    await manager.notify("READY=1");
  };
  // A run to the end of the files takes no new ones; without a listener SIGHUP would end it.
  const isWatched = once !== true && config.reloadOnChange;
  const stopHangups = onHangupSignal(() => (once === true ? undefined : void reload("SIGHUP")));
  const watch = isWatched
    ? watchConfig({ path, seen, system: realSystem, onChange: () => void reload("changed") })
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
