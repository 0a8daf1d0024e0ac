/**
 * Adapter. The process: its signals, its log, and how it ends.
 */
import { type Logger, pino } from "pino";

export type { Logger };

/** JSON lines on stderr, written before the call returns: the last line before an exit is not lost. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: levelName } },
    pino.destination({ dest: 2, sync: true }),
  );
}

function levelName(label: string): { level: string } {
  return { level: label };
}

/** Calls `onHangup` for each SIGHUP, which would end the process otherwise: logrotate and terminals send it. */
export function onHangupSignal(onHangup: () => void): () => void {
  process.on("SIGHUP", onHangup);
  return () => process.off("SIGHUP", onHangup);
}

/** Calls `onFirst` for the first SIGTERM or SIGINT; the second ends the process at once. Gives a way to stop listening. */
export function onStopSignals(onFirst: (signal: string) => void): () => void {
  let count = 0;
  const onSignal = (signal: string) => {
    count += 1;
    if (count === 1) onFirst(signal);
    else process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return () => {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  };
}
