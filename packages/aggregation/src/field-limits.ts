/** Pure. What a foreign message may hold at most, and how the fields that the schema does not know are stepped over. */
import $protobuf from "protobufjs/minimal.js";
import { tagBytes } from "./format.ts";

/**
 * Most fields that one user record may have, tags and unknown fields included. The format needs three; a record of more
 * than this would let one hostile record block the event loop.
 */
const MAX_RECORD_FIELDS = 4096;

/** Wire type of a field that ends with a field of its own. Source: protobuf encoding guide. */
const START_GROUP = 3;

/**
 * Skips the content of a field that the schema does not know.
 * @throws for a group: no writer of this format makes one, and its length cannot be known without reading all of it.
 */
export function skipUnknown(reader: $protobuf.Reader, tag: number): void {
  const wireType = tag & 7;
  if (wireType === START_GROUP) throw new Error("A message has a group.");
  reader.skipType(wireType, 0, tag >>> 3);
}

/** Throws when a record has more fields than any honest one, before an object is made for each of them. */
export function limitFields(record: Buffer): void {
  const reader = $protobuf.Reader.create(record);
  let tagEnd = 0;
  for (let fields = 0; reader.pos < reader.len; fields++) {
    if (fields === MAX_RECORD_FIELDS) throw new RangeError(`A record has more than ${MAX_RECORD_FIELDS} fields.`);
    const tag = reader.tag();
    // The fields inside a tag count too: step into it instead of over it.
    if (tag === tagBytes.recordTags && reader.pos >= tagEnd) tagEnd = reader.size() + reader.pos;
    else skipUnknown(reader, tag);
  }
}
