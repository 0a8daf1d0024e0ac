/**
 * Pure. Aggregates of known bytes.
 *
 * Source of A, B and C: awslabs/kinesis-aggregation, python/test/test_agg.py and test_deagg.py, written by the real KPL.
 * E and F were computed with an encoder that reproduces those three.
 */
import type { UserRecord } from "../record.ts";

export interface Vector {
  readonly name: string;
  readonly records: readonly UserRecord[];
  readonly bytes: number;
  /** Of the whole blob. */
  readonly sha256: string;
  /** The blob itself, where it is short. */
  readonly hex?: string;
}

const keysOfA: [key: string, hashKey: string, word: string][] = [
  ["fc03dd88-3e79-448a-b01a-7cf1bd47b784", "38486495867508399078159723846051807020", "peeobhczbzdmskboupgyq"],
  ["cae41b1c-ea61-43f2-90be-b8755ebf88e2", "193787600037681706952143357071916352604", "uswkxftxroeusscxsjhno"],
  ["d490690c-e74d-4db2-a3c8-d8f2f184fd23", "266880436964932424265466916734068684439", "casehdgivfaxeustlyszy"],
  ["c924bc09-b85e-47f1-b32e-336522ee53c8", "339606600942967391854603552402021847292", "nvffvpmuogdopjhamevrk"],
];

const keysOfB: [key: string, word: string][] = [
  ["78feb12a-dba0-45ca-a91e-bb1f2f1819b4", "iklrpsvyhxnerodfeheru"],
  ["c2a75787-469b-4310-840d-d486dca7eb5e", "lnmnudyhvpvcgrokfmzdh"],
  ["650e9362-572b-4427-b3fc-13549d7e5ae5", "pjqrcfbxafzdndzmbgane"],
  ["1d8d9600-00b7-46f3-a983-de83477540c0", "aafreyrntwuwxliygkbhk"],
  ["f2e718a0-389b-494a-b796-3355b07569cc", "qsaadhbsgmvqgdifguyou"],
  ["965b8da4-a6bd-4755-81c9-e7181ab7dc9a", "wjokoiwvzzhlftlzhqfjk"],
  ["d693c5f0-5772-46c9-8d86-08c7055bdb75", "zopcascrthbbpnjiwuhjb"],
  ["8d92476b-eb89-4e81-99fb-c2ba63ad6d90", "txbbvnozrwsboxuomqboq"],
];

export const vectors: readonly Vector[] = [
  {
    name: "A: the KPL's, with explicit hash keys",
    records: keysOfA.map(([partitionKey, explicitHashKey, word], index) => ({
      partitionKey,
      explicitHashKey,
      data: `RECORD ${22 + index} ${word}\n`,
    })),
    bytes: 495,
    sha256: "63fa50b2eee27ca260bad2df68958a36ce2039ec2a19b1978526bf9e96647d2c",
  },
  {
    name: "B: the KPL's, without explicit hash keys",
    records: keysOfB.map(([partitionKey, word], index) => ({ partitionKey, data: `RECORD ${18 + index} ${word}\n` })),
    bytes: 628,
    sha256: "bd5f7efd8b9c0b1c6024a4ecfc489cd76040475ca789f42e2183a5f667425a84",
  },
  {
    name: "C: the KPL's, one key for all",
    records: [2005, 2006, 2007, 2008].map((number) => ({
      partitionKey: "1562602074896",
      explicitHashKey: "339606600942967391854603552402021847292",
      data: `RECORD ${number} pjqrcfbxafzdndzmbgane`,
    })),
    bytes: 240,
    sha256: "085e3deaf00816034b7b12b3fd0967c876702beec92d11492fecab3c9fd554d3",
  },
  {
    name: "E: two keys",
    records: [
      { partitionKey: "a", data: "x" },
      { partitionKey: "b", data: "y" },
    ],
    bytes: 40,
    sha256: "a093bc256f1d5289012a9d112496c6185dedee5760e6030e701244d19c407418",
    hex: "f3899ac20a01610a01621a0508001a01781a0508011a0179b0031909ae75891ca94acec2ecce3125",
  },
  {
    name: "F: hash key 0 and empty data",
    records: [
      { partitionKey: "a", explicitHashKey: 0n, data: "" },
      { partitionKey: "a", data: "y" },
    ],
    bytes: 41,
    sha256: "fc2590f043ec53d7c8b4e55a2b5d9bea29006e023ca0195a2cf7771dd00584ca",
    hex: "f3899ac20a01611201301a06080010001a001a0508001a01791a8e0171318bfd79906973a1dfe7bca1",
  },
];
