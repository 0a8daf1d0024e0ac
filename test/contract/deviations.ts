/**
 * Pure. Where the emulators of npm are known not to do as the service does.
 *
 * The rule that each one misses stands with its case. A deviation that no longer occurs fails the suite, so that this
 * table stays true. The simulator has none, and may have none.
 */
export interface Deviation {
  /** Name of the case. */
  readonly name: string;
  /** What the emulator does instead. */
  readonly instead: string;
}

export const kinesaliteDeviations: readonly Deviation[] = [
  { name: "a timestamp in CBOR is milliseconds under tag 1", instead: "writes seconds as a number without a tag" },
  { name: "an on-demand stream begins with four shards", instead: "wants ShardCount" },
  { name: "tags given at creation are listed", instead: "drops them" },
  { name: "a stream is found by its ARN alone", instead: "wants StreamName" },
  { name: "the account's limits can be asked for", instead: "answers UnknownOperationException" },
  { name: "retention goes up and down within 24 and 8,760 hours", instead: "knows no more than 168 hours" },
  { name: "the partition key counts towards 1 MiB", instead: "counts the data alone" },
  { name: "a request may hold 6 MiB", instead: "answers 413 past 7 MiB of JSON" },
  { name: "a request may not hold 11 MiB", instead: "answers 413 without an error's name" },
  { name: "more than 1,000 records a second fail in part", instead: "stores all" },
  { name: "a shard is read five times a second", instead: "answers all" },
  { name: "the end of a closed shard names its children", instead: "leaves ChildShards out" },
  { name: "a stream's shards are counted up", instead: "answers UnknownOperationException" },
  { name: "a stream's shards are at most doubled", instead: "answers UnknownOperationException" },
  { name: "AT_LATEST lists the open shards alone", instead: "ignores the filter" },
  { name: "AT_TRIM_HORIZON lists what was open at the trim horizon", instead: "ignores the filter" },
  { name: "shards are listed page by page", instead: "ignores MaxResults" },
  { name: "a consumer is registered, listed and deregistered", instead: "answers UnknownOperationException" },
  {
    name: "a consumer's ARN holds its stream, name and time of creation",
    instead: "answers UnknownOperationException",
  },
  { name: "a subscription over HTTP/1.1 brings records", instead: "answers UnknownOperationException" },
  { name: "a subscription over HTTP/2, the SDK's default, brings records", instead: "speaks no HTTP/2" },
  { name: "a second subscription within five seconds is refused", instead: "answers UnknownOperationException" },
];

export const kinesisLocalDeviations: readonly Deviation[] = [
  { name: "a blob that is no base64 is a SerializationException", instead: "answers without a body" },
  { name: "an unknown action is an UnknownOperationException", instead: "answers AccessDeniedException" },
  { name: "a request in CBOR is answered in CBOR, blobs as bytes", instead: "writes blobs as base64 text" },
  { name: "a timestamp in CBOR is milliseconds under tag 1", instead: "writes a number without a tag" },
  { name: "a name with a space is refused", instead: "answers InvalidArgumentException" },
  { name: "two shards meet in the middle of the hash keys", instead: "ends the first shard one key early" },
  { name: "500 records go in one request, 501 do not", instead: "stores 501" },
  { name: "a request without records is refused", instead: "takes it" },
  { name: "the partition key counts towards 1 MiB", instead: "counts the data alone" },
  { name: "a request may not hold 11 MiB", instead: "stores it" },
  { name: "a partition key has 1 to 256 characters", instead: "answers InvalidArgumentException" },
  { name: "more than 1,000 records a second fail in part", instead: "stores all" },
  { name: "an iterator that is none is an InvalidArgumentException", instead: "answers 500 without an error's name" },
  {
    name: "an iterator at a sequence number that is none is an InvalidArgumentException",
    instead: "answers ResourceNotFoundException",
  },
  { name: "a shard is read five times a second", instead: "answers all" },
  { name: "a split at the parent's first key is refused", instead: "splits" },
  { name: "a stream's shards are at most doubled", instead: "answers InvalidArgumentException" },
  { name: "AT_TRIM_HORIZON lists what was open at the trim horizon", instead: "lists shards made later too" },
  {
    name: "a subscription over HTTP/2, the SDK's default, brings records",
    instead: "ends the session with a protocol error",
  },
  { name: "a second subscription within five seconds is refused", instead: "accepts it and fails in the event stream" },
];
