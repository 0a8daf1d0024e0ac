/**
 * Pure. What AWS asks for Kinesis Data Streams and DynamoDB, as dated data.
 */

export interface Prices {
  /** Where the prices come from, and when they were read. */
  readonly source: string;
  readonly asOf: string;
  readonly region: string;
  readonly shardHour: number;
  /** Per payload unit of `payloadUnitBytes` of one Kinesis record. */
  readonly putPayloadUnit: number;
  readonly payloadUnitBytes: number;
  /** Per shard and hour, for retention above 24 hours and up to 7 days. */
  readonly extendedRetentionShardHour: number;
  readonly fanOutConsumerShardHour: number;
  readonly fanOutGB: number;
  readonly onDemandStreamHour: number;
  readonly onDemandInGB: number;
  readonly onDemandOutGB: number;
  /** With the account's throughput commitment: no charge per stream, fan-out included. */
  readonly advantageInGB: number;
  readonly advantageOutGB: number;
  readonly dynamoDbWriteUnit: number;
  readonly dynamoDbReadUnit: number;
}

/** List prices in US dollars. Check them before you quote them. */
export const listPrices: Prices = {
  source:
    "aws.amazon.com/kinesis/data-streams/pricing (rounding rule); api-evangelist/kinesis plans/kinesis-plans-pricing.yml (2026-05); " +
    "trek10.com, on-demand vs. provisioned cost comparison (2023); DynamoDB: airbyte.com, DynamoDB pricing (after 2024-11)",
  asOf: "2026-05",
  region: "us-east-1",
  shardHour: 0.015,
  putPayloadUnit: 0.014 / 1e6,
  // "25 KB": whether 25,000 or 25,600 bytes is not settled.
  payloadUnitBytes: 25_600,
  extendedRetentionShardHour: 0.02,
  fanOutConsumerShardHour: 0.015,
  fanOutGB: 0.013,
  onDemandStreamHour: 0.04,
  onDemandInGB: 0.08,
  onDemandOutGB: 0.04,
  advantageInGB: 0.032,
  advantageOutGB: 0.016,
  dynamoDbWriteUnit: 0.625 / 1e6,
  dynamoDbReadUnit: 0.125 / 1e6,
};
