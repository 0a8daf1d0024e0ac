/** Adapter. Runs a program and collects what it printed, for the scripts of the workspace. */
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the workspace, with a slash at its end. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** How a program ended. `output` holds both of its streams as they came. */
export interface CommandResult {
  readonly ok: boolean;
  readonly output: string;
  /** What the program wrote to standard output alone. */
  readonly stdout: string;
}

/** Runs `program` with the workspace's own tools first on the path; never rejects because of how it ends. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly timeoutMs?: number } = {},
): Promise<CommandResult> {
  const { cwd = root, env = {}, timeoutMs = 300_000 } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: {
        ...process.env,
        PATH: `${root}node_modules/.bin${delimiter}${process.env["PATH"] ?? ""}`,
        NO_COLOR: "1",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
    });
    let output = "";
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (error) => resolve({ ok: false, output: `${output}${error.message}\n`, stdout }));
    child.once("close", (code, signal) => {
      const note = signal === null ? "" : `${program} was ended by ${signal} (limit ${timeoutMs} ms)\n`;
      resolve({ ok: code === 0, output: output + note, stdout });
    });
  });
}

/** Waits for a program that must succeed. @throws {Error} with its output when it does not. */
export async function mustSucceed(running: Promise<CommandResult>): Promise<CommandResult> {
  const result = await running;
  if (!result.ok) throw new Error(result.output);
  return result;
}

/** Runs the pnpm that started this script, or else the one of the README. */
export function runPnpm(args: readonly string[], cwd: string = root): Promise<CommandResult> {
  const running = process.env["npm_execpath"] ?? "";
  return running.endsWith("pnpm")
    ? runCommand(running, args, { cwd })
    : runCommand("npx", ["-y", "pnpm@12.21.0", ...args], { cwd });
}
