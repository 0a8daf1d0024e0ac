/** Pure. AWS's own library for Node, `aws-kinesis-agg`, as a peer to compare with; its types need packages of their own. */
import { createRequire } from "node:module";

interface PeerRecord {
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly explicitHashKey?: string;
}

interface PeerAggregator {
  addUserRecord(record: PeerRecord): void;
  build(): { readonly partitionKey: string; readonly data: Buffer };
}

interface PeerUserRecord {
  readonly partitionKey: string;
  readonly explicitPartitionKey?: string;
  readonly subSequenceNumber: number;
  /** Base64. */
  readonly data: string;
}

interface Peer {
  readonly RecordAggregator: new () => PeerAggregator;
  deaggregateSync(
    record: { readonly data: string; readonly partitionKey: string; readonly sequenceNumber: string },
    computeChecksums: boolean,
    done: (error: Error | undefined, records?: PeerUserRecord[]) => void,
  ): void;
}

export const peer = createRequire(import.meta.url)("aws-kinesis-agg") as Peer;

/** What the peer reads out of an aggregate. */
export function readWithPeer(data: Uint8Array): PeerUserRecord[] {
  let answer: PeerUserRecord[] | undefined;
  const record = { data: Buffer.from(data).toString("base64"), partitionKey: "a", sequenceNumber: "1" };
  peer.deaggregateSync(record, true, (error, records) => {
    if (error) throw error;
    answer = records;
  });
  if (answer === undefined) throw new Error("The peer did not answer.");
  return answer;
}
