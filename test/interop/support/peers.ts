/**
 * Adapter. Fetches peers from their package registries into a lane's folder, and runs them.
 *
 * Nothing of them is kept in the repository. Python 3 with venv, and a JDK of 11 or later with Maven, must be on the path.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runCommand } from "../../../scripts/run-command.ts";

/** Makes a virtual environment with the given packages, like "six==1.17.0". Resolves with the path of its Python. */
export async function fetchPython(folder: string, packages: readonly string[]): Promise<string> {
  const venv = join(folder, "venv");
  await mustRun("making a Python environment (python3 with venv)", "python3", ["-m", "venv", venv]);
  const python = join(venv, "bin", "python");
  await mustRun(`fetching ${packages.join(", ")} from PyPI`, python, ["-m", "pip", "install", "--quiet", ...packages]);
  return python;
}

/** Artifacts of Maven Central, each as "group:artifact:version". */
export interface Artifacts {
  /** Fetched with all that they depend on. */
  readonly whole?: readonly string[];
  /** Fetched alone. For old artifacts that ask for ranges of versions: Maven then reads the description of every release. */
  readonly alone?: readonly string[];
}

/** Fetches artifacts, once for each folder. Resolves with the class path. */
export async function fetchJava(folder: string, { whole = [], alone = [] }: Artifacts): Promise<string> {
  const dependencies = [
    ...whole.map((artifact) => dependency(artifact, "")),
    ...alone.map((artifact) => dependency(artifact, everythingExcluded)),
  ];
  const project = join(folder, "java");
  mkdirSync(project, { recursive: true });
  writeFileSync(
    join(project, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>millrace</groupId><artifactId>interop</artifactId><version>1</version>
<dependencies>${dependencies.join("")}</dependencies></project>\n`,
  );
  const names = [...whole, ...alone].join(", ");
  const classPathFile = join(project, "class-path.txt");
  // The plugin's version is pinned like everything else that is fetched.
  const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath";
  // -C: what does not match the registry's checksum is refused.
  const settings = ["-q", "-B", "-C", "-f", join(project, "pom.xml"), `-Dmdep.outputFile=${classPathFile}`];
  await mustRun(`fetching ${names} from Maven Central`, "mvn", [...settings, goal]);
  return readFileSync(classPathFile, "utf8").trim();
}

/** Compiles one source file into the folder. Resolves with the class path that has it too. */
export async function compileJava(folder: string, classPath: string, source: string): Promise<string> {
  const classes = join(folder, "classes");
  await mustRun(`compiling ${source}`, "javac", ["-d", classes, "-cp", classPath, source]);
  return [classes, classPath].join(delimiter);
}

const everythingExcluded =
  "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";

function dependency(artifact: string, more: string): string {
  const [groupId, artifactId, version] = artifact.split(":");
  const place = `<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>`;
  return `<dependency>${place}${more}</dependency>`;
}

async function mustRun(what: string, program: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(program, args, { timeoutMs: 540_000 });
  if (!result.ok) throw new Error(`${what} failed:\n${result.output.split("\n").slice(-15).join("\n")}`);
}

/** Sends lines to a program and resolves with the lines it answers. Rejects when it fails. */
export function exchangeLines(program: string, args: readonly string[], lines: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], timeout: 120_000 });
    const chunks: Buffer[] = [];
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      errors = `${errors}${chunk.toString()}`.slice(-4000);
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString("utf8").split("\n").filter(Boolean));
      else reject(new Error(`${program} ended with ${code}:\n${errors}`));
    });
    // A program that ended early is reported by how it ended, not by the pipe it left behind.
    child.stdin.on("error", () => undefined);
    child.stdin.end(lines.map((line) => `${line}\n`).join(""));
  });
}
