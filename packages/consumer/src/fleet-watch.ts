/**
 * Driver. What every worker looks after once a minute, leading or not: whether the fleet still follows the rules it
 * joined under, and finished leases of its own that nothing needs any more.
 *
 * Source: kcl.md 3.6 and 8.1.
 */
import { describeError, type EventPublisher } from "@millrace/core/observe";
import type { KinesisPort } from "@millrace/core/kinesis";
import { SerialLoop, type System } from "@millrace/core/runtime";
import { ConsumerError } from "./errors.ts";
import type { ConsumerEvent } from "./events.ts";
import type { KclMetrics } from "./kcl-metrics.ts";
import { isMigrated, reasonToLeave, type FleetTables } from "./leases/fleet-tables.ts";
import { deleteOwnFinished } from "./shards/shard-audit.ts";

/** Source: kcl.md 8.1: every worker looks at the version once a minute. */
const watchMs = 60_000;

export interface FleetWatchOptions {
  readonly tables: FleetTables;
  readonly kinesis: KinesisPort;
  readonly system: System;
  readonly events: EventPublisher<ConsumerEvent>;
  readonly metrics?: KclMetrics | undefined;
  /** The leader cleans up for all. */
  readonly isLeader: () => boolean;
  /** Keys of finished shards whose leases this worker owns. */
  readonly finished: ReadonlySet<string>;
  /** Told once the table migration is over. */
  readonly onMigrated: () => void;
  /** Gets the reason why this worker must leave. */
  readonly onCrash: (error: unknown) => void;
}

export class FleetWatch {
  readonly #options: FleetWatchOptions;
  #loop: SerialLoop | undefined;
  #hasMoved = false;

  constructor(options: FleetWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { system, onCrash } = this.#options;
    this.#loop = new SerialLoop({ system, onCrash, step: () => this.#step() });
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  async #step(): Promise<number> {
    const { tables, events, finished, isLeader, metrics, onCrash } = this.#options;
    metrics?.summary("Migration", "CurrentState:3xWorker", "Count", 1);
    // An operator may set the fleet back to KCL 2.x, whose rules this worker does not follow.
    const reason = await reasonToLeave(tables);
    if (reason !== undefined) onCrash(reason);
    if (!this.#hasMoved && (await isMigrated(tables))) this.#move();
    if (!isLeader()) {
      await deleteOwnFinished({ ...this.#options, table: tables.leases }, finished).catch((error: unknown) =>
        events.publish({ type: "lease-table-failed", operation: "clean up", error: describeError(error) }),
      );
    }
    return watchMs;
  }

  /** The leader's row now stands in the lease table. A worker that reports to the older one would not be seen. */
  #move(): void {
    const { tables, onCrash, onMigrated } = this.#options;
    this.#hasMoved = true;
    if (tables.metrics === tables.leases) onMigrated();
    else
      onCrash(
        new ConsumerError("ERR_TABLE_MIGRATION", "the fleet has left the tables it was joined through; start again"),
      );
  }
}
