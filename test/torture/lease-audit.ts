/**
 * Driver. Looks at the lease table again and again: no checkpoint and no counter may go back [C3].
 */
import { DynamoDBClient, ScanCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";

interface Seen {
  readonly checkpoint: string;
  readonly sub: number;
  readonly counter: bigint;
}

/** The table as it is seen from outside. */
export class LeaseAudit {
  /** What went back, in words. */
  readonly faults: string[] = [];
  looks = 0;
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #seen = new Map<string, Seen>();

  constructor(endpoint: string, tableName: string) {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    this.#client = new DynamoDBClient({ region: "us-east-1", credentials, endpoint });
    this.#tableName = tableName;
  }

  async look(): Promise<void> {
    const page = await this.#client.send(new ScanCommand({ TableName: this.#tableName })).catch(() => undefined);
    // There is no table before the first worker.
    for (const row of page?.Items ?? []) this.#compare(row);
    this.looks += 1;
  }

  close(): void {
    this.#client.destroy();
  }

  #compare(row: Record<string, AttributeValue>): void {
    const key = row["leaseKey"]?.S;
    const checkpoint = row["checkpoint"]?.S;
    if (key === undefined || checkpoint === undefined) return;
    const now: Seen = {
      checkpoint,
      sub: Number(row["checkpointSubSequenceNumber"]?.N ?? 0),
      counter: BigInt(row["leaseCounter"]?.N ?? 0),
    };
    const before = this.#seen.get(key);
    this.#seen.set(key, now);
    if (before === undefined) return;
    if (rank(now) < rank(before) || (rank(now) === rank(before) && now.sub < before.sub)) {
      this.faults.push(`${key}: checkpoint ${before.checkpoint}/${before.sub} became ${checkpoint}/${now.sub}`);
    }
    if (now.counter < before.counter) this.faults.push(`${key}: counter ${before.counter} became ${now.counter}`);
  }
}

function rank({ checkpoint }: Seen): bigint {
  if (checkpoint === "SHARD_END") return 1n << 256n;
  return /^\d+$/.test(checkpoint) ? BigInt(checkpoint) : -1n;
}
