"use strict";
/* Reads and writes aggregates with kinesis-aggregation for Node: one JSON object a line in, one a line out. */
const readline = require("node:readline");
const { RecordAggregator, deaggregateSync } = require("aws-kinesis-agg");

function read(blob) {
  let answer;
  deaggregateSync({ data: blob, partitionKey: "outer", sequenceNumber: "1" }, true, (error, records) => {
    if (error) throw error;
    answer = records;
  });
  return answer.map(({ partitionKey, explicitPartitionKey, data }) => ({
    partitionKey,
    explicitHashKey: explicitPartitionKey,
    data,
  }));
}

function write(records) {
  const aggregator = new RecordAggregator();
  for (const { partitionKey, explicitHashKey, data } of records) {
    aggregator.addUserRecord({ partitionKey, explicitHashKey, data: Buffer.from(data, "base64") });
  }
  return [aggregator.build().data.toString("base64")];
}

function attempt(work, value) {
  try {
    return work(value);
  } catch (error) {
    return { error: String(error) };
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { blob, records } = JSON.parse(line);
  console.log(JSON.stringify({ read: attempt(read, blob), written: attempt(write, records) }));
});
