/**
 * Adapter. A lease table in DynamoDB, as KCL Java 3.5.1 creates and uses it.
 *
 * Source: kcl.md 1.4. Every call is made once; whoever calls decides about another try.
 */
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type TransactWriteItem,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { sleep, type System } from "@millrace/core/runtime";
import type {
  JointOutcome,
  LeaseTable,
  ReadOutcome,
  TableCallOptions,
  TableFailure,
  WriteOutcome,
} from "../leases/lease-table.ts";
import { textOf, type Condition, type Row, type RowUpdate } from "../leases/table-row.ts";
import { abortOf, asRow, askCost, once, withRawValues, type RawItem, type WriteAnswer } from "./dynamodb-call.ts";
import { conditionParts, updateParts } from "./dynamodb-expressions.ts";
import { cancellation, tableFailure } from "./dynamodb-failure.ts";
import { createTable, describeTable, ownerIndexName } from "./dynamodb-table-setup.ts";

const tablePollMs = 500;
const tableWaitMs = 600_000;
/** How long the answer "the index is not active" is believed. */
const indexRecheckMs = 30_000;

export interface DynamoDbLeaseTableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly system: System;
  /** `wid` and `key` in the two other tables of KCL 3.0 to 3.4. @default "leaseKey" */
  readonly keyAttribute?: string | undefined;
}

/** The table. */
export class DynamoDbLeaseTable implements LeaseTable {
  readonly name: string;
  readonly keyAttribute: string;
  readonly #client: DynamoDBClient;
  readonly #system: System;
  #indexActive = false;
  #indexCheckedAt = -Infinity;

  constructor(options: DynamoDbLeaseTableOptions) {
    this.name = options.tableName;
    this.keyAttribute = options.keyAttribute ?? "leaseKey";
    this.#client = options.client;
    this.#system = options.system;
  }

  async open(options: TableCallOptions = {}): Promise<ReadOutcome<"created" | "existed">> {
    const deadline = this.#system.now() + tableWaitMs;
    let created = false;
    for (;;) {
      const status = await this.#describe(options);
      if (!status.ok) return status;
      if (status.value === "ACTIVE") return { ok: true, value: created ? "created" : "existed" };
      if (status.value === "ABSENT") {
        const creation = await createTable(this.#client, this.name, this.keyAttribute, options);
        if (!creation.ok) return creation;
        created = true;
      }
      if (this.#system.now() >= deadline) {
        const error = new Error(`table ${this.name} is ${status.value} and did not become ACTIVE in ${tableWaitMs} ms`);
        return { ok: false, reason: "refused", error };
      }
      await sleep(this.#system, tablePollMs, { signal: options.signal });
    }
  }

  async get(
    key: string,
    options: TableCallOptions & { readonly consistent?: boolean } = {},
  ): Promise<ReadOutcome<Row | undefined>> {
    const command = new GetItemCommand({
      TableName: this.name,
      Key: { [this.keyAttribute]: { S: key } },
      ConsistentRead: options.consistent ?? false,
      ...askCost,
    });
    return this.#read(async () => {
      const answer = await this.#client.send(once(command), abortOf(options));
      return { ok: true, value: asRow(answer.Item), units: answer.ConsumedCapacity?.CapacityUnits };
    });
  }

  async put(row: Row, conditions: readonly Condition[], options: TableCallOptions = {}): Promise<WriteOutcome> {
    const command = new PutItemCommand({
      TableName: this.name,
      Item: row as RawItem,
      ...askCost,
      ...withRawValues(conditionParts(conditions)),
    });
    return this.#write(() => this.#client.send(once(command), abortOf(options)));
  }

  async update(
    update: RowUpdate,
    options: TableCallOptions & { readonly returnRow?: boolean } = {},
  ): Promise<WriteOutcome> {
    const command = new UpdateItemCommand({
      TableName: this.name,
      Key: { [this.keyAttribute]: { S: update.key } },
      ReturnValues: options.returnRow === true ? "ALL_NEW" : "NONE",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      ...askCost,
      ...withRawValues(updateParts(update)),
    });
    return this.#write(() => this.#client.send(once(command), abortOf(options)));
  }

  async delete(key: string, conditions: readonly Condition[], options: TableCallOptions = {}): Promise<WriteOutcome> {
    const command = new DeleteItemCommand({
      TableName: this.name,
      Key: { [this.keyAttribute]: { S: key } },
      ...askCost,
      ...withRawValues(conditionParts(conditions)),
    });
    return this.#write(() => this.#client.send(once(command), abortOf(options)));
  }

  async scan(options: TableCallOptions = {}): Promise<ReadOutcome<readonly Row[]>> {
    return this.#read(async () => {
      const rows: Row[] = [];
      let units = 0;
      let startKey: RawItem | undefined;
      do {
        const command = new ScanCommand({
          TableName: this.name,
          ...askCost,
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        });
        const page = await this.#client.send(once(command), abortOf(options));
        for (const item of page.Items ?? []) rows.push(item as Row);
        units += page.ConsumedCapacity?.CapacityUnits ?? 0;
        startKey = page.LastEvaluatedKey;
      } while (startKey !== undefined);
      return { ok: true, value: rows, units };
    });
  }

  async keysOwnedBy(owner: string, options: TableCallOptions = {}): Promise<ReadOutcome<readonly string[]>> {
    if (!(await this.#isIndexActive(options))) {
      const rows = await this.scan(options);
      if (!rows.ok) return rows;
      const owned = rows.value.filter((row) => textOf(row, "leaseOwner") === owner);
      return { ok: true, value: owned.flatMap((row) => textOf(row, this.keyAttribute) ?? []) };
    }
    return this.#read(async () => {
      const keys: string[] = [];
      let units = 0;
      let startKey: RawItem | undefined;
      do {
        const command = new QueryCommand({
          TableName: this.name,
          IndexName: ownerIndexName,
          KeyConditionExpression: "leaseOwner = :owner",
          ExpressionAttributeValues: { ":owner": { S: owner } },
          ...askCost,
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        });
        const page = await this.#client.send(once(command), abortOf(options));
        for (const item of page.Items ?? []) keys.push(textOf(item as Row, this.keyAttribute) ?? "");
        units += page.ConsumedCapacity?.CapacityUnits ?? 0;
        startKey = page.LastEvaluatedKey;
      } while (startKey !== undefined);
      return { ok: true, value: keys, units };
    });
  }

  async updateWith(
    update: RowUpdate,
    items: readonly unknown[],
    options: TableCallOptions & { readonly token: string },
  ): Promise<JointOutcome> {
    const ownWrite = {
      Update: {
        TableName: this.name,
        Key: { [this.keyAttribute]: { S: update.key } },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
        ...withRawValues(updateParts(update)),
      },
    };
    const command = new TransactWriteItemsCommand({
      TransactItems: [ownWrite as TransactWriteItem, ...(items as readonly TransactWriteItem[])],
      ClientRequestToken: options.token.slice(0, 36),
      ...askCost,
    });
    try {
      const answer = await this.#client.send(once(command), abortOf(options));
      const own = answer.ConsumedCapacity?.find((capacity) => capacity.TableName === this.name);
      return { ok: true, units: own?.CapacityUnits };
    } catch (error) {
      return cancellation(error) ?? tableFailure(error);
    }
  }

  async #isIndexActive(options: TableCallOptions): Promise<boolean> {
    if (this.#indexActive) return true;
    const now = this.#system.now();
    if (now - this.#indexCheckedAt >= indexRecheckMs) {
      this.#indexCheckedAt = now;
      await this.#describe(options);
    }
    return this.#indexActive;
  }

  async #describe(options: TableCallOptions): Promise<ReadOutcome<string>> {
    const state = await describeTable(this.#client, this.name, options);
    if (!state.ok) return state;
    this.#indexActive = state.value.indexStatus === "ACTIVE";
    return { ok: true, value: state.value.status };
  }

  async #read<T>(call: () => Promise<ReadOutcome<T>>): Promise<ReadOutcome<T>> {
    try {
      return await call();
    } catch (error) {
      return tableFailure(error);
    }
  }

  async #write(call: () => Promise<WriteAnswer>): Promise<WriteOutcome> {
    try {
      const answer = await call();
      return { ok: true, row: asRow(answer.Attributes), units: answer.ConsumedCapacity?.CapacityUnits };
    } catch (error) {
      if ((error as Error).name === "ConditionalCheckFailedException") {
        return { ok: false, reason: "condition-failed", row: asRow((error as { Item?: RawItem }).Item) };
      }
      return tableFailure(error) satisfies TableFailure;
    }
  }
}
