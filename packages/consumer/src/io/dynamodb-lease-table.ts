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
import type { System } from "@millrace/core/runtime";
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
import { TableLife } from "./dynamodb-table-life.ts";
import { ownerIndexName } from "./dynamodb-table-setup.ts";

/** How long a scan takes the index's place for each unit that it cost: 50 units a second at most, for one worker. */
const scanMsPerUnit = 20;
const maxScanAgeMs = 5_000;

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
  readonly #life: TableLife;
  #scanned: { readonly rows: readonly Row[]; readonly until: number } = { rows: [], until: -Infinity };

  constructor(options: DynamoDbLeaseTableOptions) {
    this.name = options.tableName;
    this.keyAttribute = options.keyAttribute ?? "leaseKey";
    this.#client = options.client;
    this.#system = options.system;
    this.#life = new TableLife({ ...options, keyAttribute: this.keyAttribute });
  }

  open(options: TableCallOptions = {}): Promise<ReadOutcome<"created" | "existed">> {
    return this.#life.open(options);
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
    if (!(await this.#life.isIndexActive(options))) return this.#keysWithoutIndex(owner, options);
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

  /** While the index is being filled: a scan, which workers that look twice a second must not make each time. */
  async #keysWithoutIndex(owner: string, options: TableCallOptions): Promise<ReadOutcome<readonly string[]>> {
    const now = this.#system.now();
    let { rows } = this.#scanned;
    let units = 0;
    if (now >= this.#scanned.until) {
      const scanned = await this.scan(options);
      if (!scanned.ok) return scanned;
      rows = scanned.value;
      units = scanned.units ?? 0;
      this.#scanned = { rows, until: now + Math.min(maxScanAgeMs, units * scanMsPerUnit) };
    }
    const owned = rows.filter((row) => textOf(row, "leaseOwner") === owner);
    return { ok: true, value: owned.flatMap((row) => textOf(row, this.keyAttribute) ?? []), units };
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
