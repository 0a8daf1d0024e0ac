/**
 * Adapter. Tells systemd how the service is: ready, reloading, stopping, alive.
 *
 * systemd listens on a Unix datagram socket, which Node cannot write to; `systemd-notify`, which comes with systemd, can.
 * It is a process for each message, so that the unit has to allow it (`NotifyAccess=all`) and the watchdog's interval is
 * to be tens of seconds. Source: sd_notify(3), sd_watchdog_enabled(3), systemd-notify(1), read 2026-11-22.
 */
import { execFile } from "node:child_process";
import { SerialLoop, type System } from "@millrace/core/runtime";

/** Where the process was not started by systemd, all of this does nothing. */
export interface ServiceManager {
  /** Sends assignments such as `READY=1`; one message after the other. */
  notify(...assignments: readonly string[]): Promise<void>;
  /** Says that it is alive, with what `status` gives, until it is stopped. */
  startWatchdog(system: System, status: () => string): void;
  stop(): Promise<void>;
}

/** The service manager that the environment names. `onProblem` is called when a message cannot be sent; once. */
export function serviceManager(
  environment: Readonly<Record<string, string | undefined>>,
  onProblem: (problem: string) => void,
): ServiceManager {
  let last: Promise<void> = Promise.resolve();
  let isBroken = false;
  let watchdog: SerialLoop | undefined;
  const sendAfter = async (before: Promise<void>, assignments: readonly string[]) => {
    await before;
    const problem = await send(assignments);
    if (problem === undefined || isBroken) return;
    isBroken = true;
    onProblem(problem);
  };
  const notify = (...assignments: readonly string[]) => {
    if (environment["NOTIFY_SOCKET"] !== undefined) last = sendAfter(last, assignments);
    return last;
  };
  return {
    notify,
    startWatchdog(system, status) {
      const everyMs = watchdogMs(environment);
      if (everyMs === undefined) return;
      const step = async () => {
        await notify("WATCHDOG=1", `STATUS=${status()}`);
        // Half the interval, as sd_watchdog_enabled(3) advises: one message may be late.
        return everyMs / 2;
      };
      watchdog = new SerialLoop({ system, unref: true, step, onCrash: (error) => onProblem(String(error)) });
    },
    async stop() {
      await watchdog?.stop();
      await last;
    },
  };
}

/** The interval that systemd asks of this process. */
function watchdogMs(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const { WATCHDOG_PID: pid, WATCHDOG_USEC: microseconds } = environment;
  if (microseconds === undefined || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  const ms = Number(microseconds) / 1_000;
  return ms > 0 ? ms : undefined;
}

function send(assignments: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("systemd-notify", [...assignments], { timeout: 5_000 }, (error) => {
      resolve(error === null ? undefined : error.message.trim());
    });
  });
}
