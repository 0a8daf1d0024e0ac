/**
 * Driver. What Kinesis has stored, noted where it is stored: the truth that acknowledgements are held against.
 */
import { deaggregate, type UserRecordView } from "@millrace/aggregation";
import type { Answer, CallOptions, KinesisPort, PutRecordsRequest, PutRecordsResponse } from "@millrace/core/kinesis";

/** A Kinesis record as it was stored. */
export interface LoggedRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** The user records in it, taken apart when they are first asked for. */
  members: readonly UserRecordView[] | undefined;
}

export class StoredLog {
  readonly #records = new Map<string, LoggedRecord>();
  /** PutRecords requests that arrived since they were last taken. */
  #requests: PutRecordsRequest[] = [];

  get size(): number {
    return this.#records.size;
  }

  /** The user records of the Kinesis record at this place; undefined when there is none. */
  membersAt(shardId: string, sequenceNumber: string): readonly UserRecordView[] | undefined {
    const record = this.#records.get(`${shardId} ${sequenceNumber}`);
    if (record === undefined) return undefined;
    record.members ??= deaggregate(record);
    return record.members;
  }

  /** The requests that have arrived since the last call. */
  takeRequests(): readonly PutRecordsRequest[] {
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
      this.#requests.push(request);
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
      const { data, partitionKey } = record;
      this.#records.set(`${shardId} ${sequenceNumber}`, {
        shardId,
        sequenceNumber,
        data,
        partitionKey,
        members: undefined,
      });
    }
  }
}
