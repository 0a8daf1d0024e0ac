/**
 * Driver. A DynamoDB table until it can be used: found, made, given its index.
 *
 * Each call has a limit of its own, since the SDK has none for a call as a whole: a connection that hangs is told and
 * tried again like any other failure.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { sleep, type System } from "@millrace/core/runtime";
import { callWithin } from "../leases/call-within.ts";
import type { ReadOutcome, TableCallOptions, TableFailure } from "../leases/lease-table.ts";
import { addOwnerIndex, createTable, describeTable, type TableState } from "./dynamodb-table-setup.ts";

const tablePollMs = 500;
const tableWaitMs = 600_000;
/** Creating and describing a table are calls of the control plane, which are slower than those for rows. */
const callLimitMs = 15_000;
/** How long the answer "the index is not active" is believed. */
const indexRecheckMs = 30_000;

export interface TableLifeOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly keyAttribute: string;
  readonly system: System;
}

export class TableLife {
  readonly #options: TableLifeOptions;
  #indexActive = false;
  #indexCheckedAt = -Infinity;

  constructor(options: TableLifeOptions) {
    this.#options = options;
  }

  /** Resolves once the table can be used, or with the failure of a call. */
  async open(options: TableCallOptions): Promise<ReadOutcome<"created" | "existed">> {
    const { client, tableName, keyAttribute, system } = this.#options;
    const deadline = system.now() + tableWaitMs;
    let created = false;
    for (;;) {
      const found = await this.#describe(options);
      if (!found.ok) return found;
      const { status, keyAttributes } = found.value;
      if (keyAttributes !== undefined && keyAttributes.join() !== keyAttribute) {
        return refused(`its key is ${keyAttributes.join(" and ")}; a lease table has ${keyAttribute}`);
      }
      if (status === "ACTIVE") {
        await this.#ensureIndex(found.value, options);
        return { ok: true, value: created ? "created" : "existed" };
      }
      if (status === "ABSENT") {
        const creation = await this.#within(options, (own) => createTable(client, tableName, keyAttribute, own));
        if (!creation.ok) return creation;
        created = true;
      }
      if (system.now() >= deadline) return refused(`it is ${status} and did not become ACTIVE in ${tableWaitMs} ms`);
      await sleep(system, tablePollMs, { signal: options.signal });
    }
  }

  /** True once rows can be found by their owner. */
  async isIndexActive(options: TableCallOptions): Promise<boolean> {
    const now = this.#options.system.now();
    if (!this.#indexActive && now - this.#indexCheckedAt >= indexRecheckMs) {
      this.#indexCheckedAt = now;
      await this.#describe(options);
    }
    return this.#indexActive;
  }

  /** A table of KCL 2.x has no index. Where it cannot be added (no right to), leases are found by scan for good. */
  async #ensureIndex(state: TableState, options: TableCallOptions): Promise<void> {
    const { client, tableName, keyAttribute } = this.#options;
    if (keyAttribute !== "leaseKey" || state.indexStatus !== "ABSENT") return;
    await this.#within(options, (own) => addOwnerIndex(client, tableName, state.throughput, own));
  }

  async #describe(options: TableCallOptions): Promise<ReadOutcome<TableState>> {
    const { client, tableName } = this.#options;
    const found = await this.#within(options, (own) => describeTable(client, tableName, own));
    if (found.ok) this.#indexActive = found.value.indexStatus === "ACTIVE";
    return found;
  }

  #within<T>(
    { signal }: TableCallOptions,
    call: (own: TableCallOptions) => Promise<ReadOutcome<T>>,
  ): Promise<ReadOutcome<T>> {
    return callWithin(this.#options.system, callLimitMs, (limit) =>
      call({ signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) }),
    );
  }
}

function refused(why: string): TableFailure {
  return { ok: false, reason: "refused", error: new Error(why) };
}
