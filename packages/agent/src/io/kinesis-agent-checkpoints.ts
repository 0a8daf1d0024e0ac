/**
 * Adapter. Reads the checkpoints of the Kinesis Agent from its SQLite file, which is not changed.
 *
 * Source: the table FILE_CHECKPOINTS as `awslabs/amazon-kinesis-agent` 2.0.13 creates it: flow, path, fileId,
 * lastModifiedTime and size in milliseconds and bytes, offset, lastUpdated as UTC text. The id of a file is Java's file
 * key on Unix, `(dev=<hexadecimal>,ino=<decimal>)`.
 */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { kinesisAgentIdsOf } from "../config/flow-id.ts";
import { type AgentConfig, dayMs, type FlowConfig } from "../config/schema.ts";
import type { ForeignCheckpoint } from "../flow/takeover-plan.ts";

/** The Kinesis Agent's checkpoints are there and cannot be read. Going on without them would skip or repeat lines. */
export class CheckpointsUnreadableError extends Error {
  override readonly name = "CheckpointsUnreadableError";
  readonly code = "ERR_CHECKPOINTS_UNREADABLE";
}

/** The checkpoints that a flow takes over when it has no positions, by the keys of the configuration. */
export function checkpointsOf(flow: FlowConfig, config: AgentConfig, wallNowMs: number): readonly ForeignCheckpoint[] {
  if (!config.importCheckpoints) return [];
  const sinceMs = wallNowMs - config.checkpointTimeToLiveDays * dayMs;
  return readKinesisAgentCheckpoints(config.checkpointFile, kinesisAgentIdsOf(flow), sinceMs);
}

/**
 * The checkpoints of the flows that were saved since `sinceMs`; none where there is no such file.
 * @throws {CheckpointsUnreadableError} when it is there and cannot be read.
 */
function readKinesisAgentCheckpoints(
  path: string,
  flowIds: readonly string[],
  sinceMs: number,
): readonly ForeignCheckpoint[] {
  if (!existsSync(path)) return [];
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'FILE_CHECKPOINTS'").all();
    // An agent that was started and never saw a file leaves an empty database.
    if (tables.length === 0) return [];
    const select = database.prepare(
      "SELECT path, fileId, lastModifiedTime, size, offset, lastUpdated FROM FILE_CHECKPOINTS WHERE flow = ?",
    );
    const rows = flowIds.flatMap((flow) => select.all(flow));
    return rows.map((row) => toCheckpoint(row)).filter(({ savedMs }) => savedMs >= sinceMs);
  } catch (error) {
    throw new CheckpointsUnreadableError(
      `${path}: the Kinesis Agent's checkpoints cannot be read (${(error as Error).message}). ` +
        'Make the file readable to this agent, or begin at initialPosition with "importCheckpoints": false.',
      { cause: error },
    );
  } finally {
    database?.close();
  }
}

function toCheckpoint(row: Readonly<Record<string, unknown>>): ForeignCheckpoint {
  const [, device, inode] = /^\(dev=([\da-f]+),ino=(\d+)\)$/.exec(String(row["fileId"])) ?? [];
  const savedMs = Date.parse(`${String(row["lastUpdated"]).replace(" ", "T")}Z`);
  if (device === undefined || inode === undefined || Number.isNaN(savedMs)) {
    throw new Error(`a row of another form: ${String(row["fileId"])} at ${String(row["lastUpdated"])}`);
  }
  return {
    path: String(row["path"]),
    device: BigInt(`0x${device}`).toString(),
    inode,
    sizeBytes: Number(row["size"]),
    modifiedMs: Number(row["lastModifiedTime"]),
    positionBytes: Number(row["offset"]),
    savedMs,
  };
}
