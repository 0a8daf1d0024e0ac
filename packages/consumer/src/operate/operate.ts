/**
 * Driver. What operators do with an application whose workers they cannot ask: read its tables, and put it back.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import { createKinesisClient, kinesisFromClient } from "@millrace/core/aws";
import type { KinesisPort } from "@millrace/core/kinesis";
import { createEventPublisher, describeError } from "@millrace/core/observe";
import { realSystem, sleep, type System } from "@millrace/core/runtime";
import { ConsumerError } from "../errors.ts";
import type { ConsumerEvent } from "../events.ts";
import { createDynamoDbTables } from "../io/dynamodb-tables.ts";
import { parseLease, type Lease } from "../leases/lease.ts";
import type { LeaseTable } from "../leases/lease-table.ts";
import type { ConsumerOptions, InitialPositionOption } from "../options.ts";
import { resolveConsumerOptions } from "../resolve-options.ts";
import type { ConsumedStream } from "../shards/consumed-stream.ts";
import type { StartPorts } from "../start-calls.ts";
import { identifyStreams } from "../shards/identify-streams.ts";
import { firstShardsFilter } from "../shards/lease-creation.ts";
import { listShards } from "../shards/list-shards.ts";
import { reportApplication, type ApplicationReport, type TableRows } from "./application-report.ts";
import { planReset, type ResetWrite } from "./reset-plan.ts";

/** Which application, and how to reach its tables. */
export interface ApplicationOptions {
  /** As the consumer's. */
  readonly applicationName: string;
  /** Name of the lease table. @default applicationName */
  readonly leaseTableName?: string | undefined;
  /** For the lease table. @default one made from the environment */
  readonly dynamodb?: DynamoDBClient | undefined;
  /** A lease table instead of DynamoDB, such as `MemoryLeaseTable` in tests. */
  readonly leaseTable?: LeaseTable | undefined;
}

/** Where to put an application back to. */
export interface ResetOptions extends ApplicationOptions {
  /** The stream's name. This or `streamArn`. */
  readonly streamName?: string | undefined;
  /** The stream's ARN. This or `streamName`. */
  readonly streamArn?: string | undefined;
  /** For Kinesis. @default one made from the environment */
  readonly client?: KinesisClient | undefined;
  /** Where reading is to begin. A time holds for Millrace's workers only: Java's begin at the tip then. */
  readonly to: InitialPositionOption;
  /** How long the leases are watched for a sign of a worker, in milliseconds. Integer, 300 to 3,600,000. @default 10_000 */
  readonly failoverTimeMs?: number | undefined;
  /** Ends the waiting; once writing has begun it is finished. */
  readonly signal?: AbortSignal | undefined;
}

/** What a reset did. */
export interface ResetReport {
  /** Shards that begin at the new place. */
  readonly shards: number;
  /** Leases that had to go: of shards that end before the place, or begin after their parents. */
  readonly deleted: number;
}

/** @internal What tests put in the platform's place. */
export interface OperateWiring {
  readonly kinesis?: KinesisPort | undefined;
  readonly system?: System | undefined;
}

/**
 * Reads an application's tables: every lease, every worker, the leader. One scan; nothing is written.
 * @param wiring @internal
 * @throws {ConsumerError} when a table cannot be read, or there is none.
 */
export async function readApplication(
  options: ApplicationOptions,
  wiring: OperateWiring = {},
): Promise<ApplicationReport> {
  const system = wiring.system ?? realSystem;
  const tables = openTables(options, system);
  return reportApplication(tables.leases.name, await readTables(tables), system.wallNow());
}

/**
 * Puts an application back to a place in its stream, as if it had never run. All its workers must be stopped: it is
 * refused when one has reported within the last minute, and when a lease is renewed while it watches.
 * @param wiring @internal
 * @throws {ConsumerError} `ERR_WORKERS_RUNNING` for a worker that is not stopped, and when a call fails for good. Whatever
 * was written by then is put right by another reset.
 */
export async function resetApplication(options: ResetOptions, wiring: OperateWiring = {}): Promise<ResetReport> {
  const system = wiring.system ?? realSystem;
  const signal = options.signal ?? new AbortController().signal;
  const resolved = resolveConsumerOptions(consumerOptionsOf(options));
  const tables = openTables(options, system);
  const rows = await readTables(tables);
  const leases = leasesIn(rows);
  refuseActiveWorkers(reportApplication(tables.leases.name, rows, system.wallNow()));
  if (leases.some(({ leaseOwner }) => leaseOwner !== undefined)) {
    await sleep(system, resolved.failoverTimeMs, { signal });
    refuseRenewals(leases, leasesIn(await readTables(tables)));
  }
  const client = wiring.kinesis === undefined ? (options.client ?? createKinesisClient()) : undefined;
  try {
    const kinesis = wiring.kinesis ?? kinesisFromClient(client as KinesisClient);
    const ports = {
      kinesis,
      system,
      events: createEventPublisher<ConsumerEvent>("millrace:consumer", undefined),
      signal,
    };
    const stream = await identified(ports, resolved.streams, leases);
    const listing = await listShards(ports, stream.ref, { filter: firstShardsFilter(stream), signal });
    if (!listing.ok) throw new ConsumerError("ERR_STREAM_UNUSABLE", describeError(listing.error), listing.error);
    const ours = leases.filter((lease) => lease.streamIdentifier === stream.streamIdentifier);
    const writes = planReset(stream, listing.shards, ours, listing.serviceTime ?? system.wallNow());
    for (const write of writes) await carryOut(tables.leases, write);
    const deleted = writes.filter(({ type }) => type === "delete").length;
    return { shards: writes.length - deleted, deleted };
  } finally {
    if (client !== options.client) client?.destroy();
  }
}

interface ApplicationTables {
  readonly leases: LeaseTable;
  /** The two tables of KCL 3.0 to 3.4, which may not exist. */
  readonly legacy: readonly LeaseTable[];
}

function openTables(options: ApplicationOptions, system: System): ApplicationTables {
  const { applicationName, leaseTableName, dynamodb, leaseTable } = options;
  if (leaseTable !== undefined) return { leases: leaseTable, legacy: [] };
  const tables = createDynamoDbTables(
    { applicationName, leaseTableName: leaseTableName ?? applicationName },
    dynamodb,
    system,
  );
  return { leases: tables.leases, legacy: [tables.legacy.coordinator, tables.legacy.metrics] };
}

async function readTables({ leases, legacy }: ApplicationTables): Promise<readonly TableRows[]> {
  const found: TableRows[] = [];
  for (const table of [leases, ...legacy]) {
    const rows = await table.scan();
    if (rows.ok) found.push({ rows: rows.value, keyAttribute: table.keyAttribute });
    else if (table === leases || rows.error.name !== "ResourceNotFoundException") {
      throw new ConsumerError("ERR_LEASE_TABLE", `cannot read ${table.name}: ${describeError(rows.error)}`, rows.error);
    }
  }
  return found;
}

function leasesIn(tables: readonly TableRows[]): readonly Lease[] {
  return tables.flatMap(({ rows, keyAttribute }) =>
    keyAttribute === "leaseKey" ? rows.flatMap((row) => parseLease(row) ?? []) : [],
  );
}

function refuseActiveWorkers({ workers }: ApplicationReport): void {
  const active = workers.filter(({ isActive }) => isActive).map(({ workerId }) => workerId);
  if (active.length === 0) return;
  throw new ConsumerError(
    "ERR_WORKERS_RUNNING",
    `${active.join(", ")} reported within the last minute. Stop every worker first; one that was killed counts for a minute.`,
  );
}

/** A worker of KCL 2.x makes no reports, but renews what it has. */
function refuseRenewals(before: readonly Lease[], after: readonly Lease[]): void {
  const counters = new Map(before.map(({ leaseKey, leaseCounter }) => [leaseKey, leaseCounter]));
  const renewed = after.find(({ leaseKey, leaseCounter }) => counters.get(leaseKey) !== leaseCounter);
  if (renewed === undefined) return;
  const owner = renewed.leaseOwner ?? "somebody";
  throw new ConsumerError(
    "ERR_WORKERS_RUNNING",
    `${owner} has written the lease ${renewed.leaseKey} just now. Stop every worker first.`,
  );
}

/** The stream, by the name that its leases have in this application. */
async function identified(
  ports: StartPorts & { readonly kinesis: KinesisPort },
  streams: readonly ConsumedStream[],
  leases: readonly Lease[],
): Promise<ConsumedStream> {
  const isMultiStream = leases.some(({ streamIdentifier }) => streamIdentifier !== undefined);
  const [stream] = isMultiStream ? await identifyStreams(ports, streams) : streams;
  if (stream === undefined) throw new Error("a consumer without a stream");
  return stream;
}

async function carryOut(table: LeaseTable, write: ResetWrite): Promise<void> {
  const outcome = await (write.type === "set"
    ? table.update(write.update)
    : write.type === "create"
      ? table.put(write.row, [{ attribute: table.keyAttribute, is: "absent" }])
      : table.delete(write.leaseKey, write.conditions));
  if (outcome.ok) return;
  const isTouched = outcome.reason === "condition-failed";
  throw new ConsumerError(
    isTouched ? "ERR_WORKERS_RUNNING" : "ERR_LEASE_TABLE",
    isTouched
      ? `the lease of ${write.shardId} was written by somebody else meanwhile. Stop every worker, then reset again.`
      : `cannot write the lease of ${write.shardId}: ${describeError(outcome.error)}. Reset again.`,
    isTouched ? undefined : outcome.error,
  );
}

function consumerOptionsOf(options: ResetOptions): ConsumerOptions {
  const { signal: _signal, to, ...rest } = options;
  return { ...rest, initialPosition: to };
}
