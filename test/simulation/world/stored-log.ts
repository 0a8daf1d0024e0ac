/**
 * Driver. What Kinesis has stored, noted where it is stored: the truth that acknowledgements, deliveries and checkpoints
 * are held against. Payloads are looked at once and let go: a world that runs for long stores many.
 */
import { deaggregate } from "@millrace/aggregation";
import type { Answer, CallOptions, KinesisPort, PutRecordsRequest, PutRecordsResponse } from "@millrace/core/kinesis";
import { readPayload, type Payload } from "./payload.ts";

/** A user record as it was stored. */
export interface StoredMember extends Payload {
  readonly partitionKey: string | undefined;
}

/** A Kinesis record as it was stored. */
export interface StoredRecord {
  readonly sequenceNumber: bigint;
  readonly members: readonly StoredMember[];
}

/** What a request asked for, in sizes. */
export interface LoggedRequest {
  readonly recordBytes: readonly number[];
}

export class StoredLog {
  readonly #records = new Map<string, StoredRecord>();
  readonly #listeners: ((shardId: string, record: StoredRecord) => void)[] = [];
  /** PutRecords requests that arrived since they were last taken. */
  #requests: LoggedRequest[] = [];

  get size(): number {
    return this.#records.size;
  }

  /** The user records of the Kinesis record at this place; undefined when there is none. */
  membersAt(shardId: string, sequenceNumber: string): readonly StoredMember[] | undefined {
    return this.#records.get(`${shardId} ${sequenceNumber}`)?.members;
  }

  /** Calls `listener` with each record that is noted from now on: late, or never, where its answer was late or lost. */
  listen(listener: (shardId: string, record: StoredRecord) => void): void {
    this.#listeners.push(listener);
  }

  /** The requests that have arrived since the last call. */
  takeRequests(): readonly LoggedRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  /** A Kinesis whose stored records this log notes. */
  watch(kinesis: KinesisPort): KinesisPort {
    const putRecords = async (
      request: PutRecordsRequest,
      options?: CallOptions,
    ): Promise<Answer<PutRecordsResponse>> => {
      this.#requests.push({
        recordBytes: request.records.map(({ data, partitionKey }) => data.byteLength + Buffer.byteLength(partitionKey)),
      });
      const answer = await kinesis.putRecords(request, options);
      if (answer.ok) this.#note(request, answer.value);
      return answer;
    };
    return {
      putRecords,
      getShardIterator: (request, options) => kinesis.getShardIterator(request, options),
      getRecords: (request, options) => kinesis.getRecords(request, options),
      listShards: (request, options) => kinesis.listShards(request, options),
      describeStreamSummary: (request, options) => kinesis.describeStreamSummary(request, options),
    };
  }

  #note(request: PutRecordsRequest, response: PutRecordsResponse): void {
    for (const [index, outcome] of response.records.entries()) {
      const record = request.records[index];
      if (!outcome.ok || record === undefined) continue;
      const { shardId, sequenceNumber } = outcome;
      const views = deaggregate({ ...record, sequenceNumber });
      const members = views.map((view) => Object.assign(readPayload(view.data), { partitionKey: view.partitionKey }));
      this.add(shardId, sequenceNumber, members);
    }
  }

  /** Notes a record that was stored. */
  add(shardId: string, sequenceNumber: string, members: readonly StoredMember[]): void {
    const stored = { sequenceNumber: BigInt(sequenceNumber), members };
    this.#records.set(`${shardId} ${sequenceNumber}`, stored);
    for (const listener of this.#listeners) listener(shardId, stored);
  }
}
