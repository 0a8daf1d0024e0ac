/**
 * Pure. The map of files in docs/DESIGN.md, which the headers of the files write, and the paths that its text names.
 */
import { lineAt } from "./source-file.ts";
import type { SourceFile } from "./source-file.ts";
import { publishedFiles } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

const opening = "<!-- files: written by `pnpm docs:update` -->";
const closing = "<!-- end of files -->";

/** The document with its map of files as the headers have it. */
export function updateFileMap(design: string, workspace: Workspace): string {
  const start = design.indexOf(opening);
  const end = design.indexOf(closing);
  if (start === -1 || end < start) return design;
  return `${design.slice(0, start + opening.length)}\n\n${renderFileMap(workspace)}\n${design.slice(end)}`;
}

function renderFileMap(workspace: Workspace): string {
  const files = publishedFiles(workspace).filter((file) => !file.isBarrel);
  const names = [...new Set(files.map((file) => file.package ?? ""))];
  return names
    .map((name) => {
      const rows = files
        .filter((file) => file.package === name)
        .map(
          (file) => `- \`${file.path.slice(`packages/${name}/src/`.length)}\` (${file.kind ?? "?"}) ${readJob(file)}`,
        );
      return `### packages/${name}/src\n\n${rows.join("\n")}\n`;
    })
    .join("\n");
}

/** What the header of a file says of it: the first sentence after the word for its kind. */
function readJob({ comments }: SourceFile): string {
  const text = (comments[0]?.value ?? "").replaceAll(/^\s*\*+ ?/gm, "").trim();
  const [, job = ""] = /^\w+\.\s+([^]*?[.?])(?=\s|$)/.exec(text) ?? [];
  return job.replaceAll(/\s+/g, " ");
}

/** Where the document is behind the files: an old map, or a path in its text that leads nowhere. */
export function findDesignFaults(design: string, workspace: Workspace, exists: (path: string) => boolean): string[] {
  const faults = updateFileMap(design, workspace) === design ? [] : ["the map of files is old: run `pnpm docs:update`"];
  if (!design.includes(opening) || !design.includes(closing)) faults.push("the map of files is missing");
  for (const [, path = ""] of design.matchAll(/`((?:packages|test|scripts|docs|examples)\/[\w./-]+)`/g)) {
    if (!exists(path)) faults.push(`${path} does not exist`);
  }
  return faults;
}

/** Comments that cite a document of nobody: neither of this repository nor, as `owner/name, document.md`, of another. */
export function findDanglingDocuments({ files }: Workspace, documents: ReadonlySet<string>): string[] {
  return [...files.values()].flatMap(({ path, text, comments }) =>
    comments.flatMap(({ value, start }) =>
      [...value.matchAll(/([\w-]+\/[\w-]+[,:]\s+)?([\w-]+\.md)\b/g)].flatMap(([, repository, name = ""]) =>
        repository !== undefined || documents.has(name) ? [] : [`${path}:${lineAt(text, start)}: there is no ${name}`],
      ),
    ),
  );
}

/** Comments that cite a paragraph (`SPEC S4`) which the specification does not have. */
export function findDanglingParagraphs({ files }: Workspace, spec: string): string[] {
  const known = new Set([...spec.matchAll(/^\*\*(S\d+)\. /gm)].map(([, number]) => number));
  return [...files.values()].flatMap(({ path, text, comments }) =>
    comments.flatMap(({ value, start }) =>
      [...value.matchAll(/\bSPEC (S\d+)/g)].flatMap(([, number]) =>
        known.has(number) ? [] : [`${path}:${lineAt(text, start)}: SPEC.md has no ${number}`],
      ),
    ),
  );
}
