import { afterEach, expect, test } from "vitest";
import type { ConsumedRecord } from "../record.ts";
import { Fleet } from "../testing-support/fleet.ts";
import { fromRecordProcessor, type RecordProcessor } from "./record-processor.ts";

let fleet: Fleet;

afterEach(() => fleet.close());

test("KCL's callbacks come in KCL's order, through the end of a shard and a shutdown", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const calls: string[] = [];
  const create = (): RecordProcessor => {
    let shard = "";
    const note = (call: string): void => {
      calls.push(`${shard.slice(-1)} ${call}`);
      fleet.tick();
    };
    return {
      async initialize({ shardId, checkpoint }) {
        shard = shardId;
        note(`initialize ${checkpoint.sequenceNumber}`);
      },
      async processRecords({ records }) {
        note(`process ${records.length}`);
      },
      async shardEnded({ checkpointer }) {
        note("ended");
        await checkpointer.checkpoint();
      },
      async shutdownRequested({ checkpointer }) {
        note("shutdown");
        await checkpointer.checkpoint();
      },
    };
  };
  await fleet.put(3);
  const consumer = fleet.start("a", fromRecordProcessor(create));
  await fleet.until(() => calls.length === 2);
  fleet.simulator.reshard({ streamName: "clicks", split: "shardId-000000000000" });
  await fleet.until(() => calls.length === 5);
  await consumer.close();
  expect(calls.slice(0, 3)).toEqual(["0 initialize TRIM_HORIZON", "0 process 3", "0 ended"]);
  expect(calls.slice(3).toSorted()).toEqual([
    "1 initialize TRIM_HORIZON",
    "1 shutdown",
    "2 initialize TRIM_HORIZON",
    "2 shutdown",
  ]);
});

test("a processor that fails is made anew and gets its batch again, where KCL skips it [C1]", async () => {
  fleet = new Fleet({ shardCount: 1 });
  let made = 0;
  fleet.start(
    "a",
    fromRecordProcessor(() => {
      const number = ++made;
      return {
        async processRecords({ records, checkpointer }) {
          if (number === 1) throw new Error("told to fail");
          for (const record of records) fleet.note("a", "", record);
          await checkpointer.checkpoint();
        },
      };
    }),
  );
  await fleet.put(4);
  await fleet.allDelivered();
  expect(made).toBe(2);
});

test("a lost lease is told to the processor, not thrown", async () => {
  fleet = new Fleet({ shardCount: 1 });
  let lost = 0;
  fleet.start(
    "a",
    fromRecordProcessor(() => ({
      async processRecords({ records, checkpointer }) {
        await fleet.leaseTable.update({
          key: "shardId-000000000000",
          conditions: [],
          set: { leaseOwner: { S: "thief" } },
          add: { leaseCounter: 1 },
        });
        expect(records).toHaveLength(1);
        await checkpointer.checkpoint();
      },
      async leaseLost() {
        lost++;
        fleet.tick();
      },
    })),
  );
  await fleet.put(1);
  await fleet.until(() => lost === 1);
  expect(fleet.events.some((event) => event.type === "handler-failed")).toBe(false);
});

test("a checkpoint may reach back to an earlier batch, and be prepared for the next owner, as KCL's", async () => {
  fleet = new Fleet({ shardCount: 1 });
  const seen: ConsumedRecord[] = [];
  const refused: unknown[] = [];
  const first = fleet.start(
    "a",
    fromRecordProcessor(() => ({
      async processRecords({ records, checkpointer }) {
        seen.push(...records);
        if (seen.length < 4) return;
        const strange = { ...records[0], sequenceNumber: `9${records[0]?.sequenceNumber}` } as ConsumedRecord;
        refused.push(await checkpointer.checkpoint(strange).catch((error: unknown) => error));
        await checkpointer.checkpoint(seen[1]);
        await checkpointer.prepareCheckpoint(seen[2], { state: Buffer.from("half done") });
        fleet.tick();
      },
    })),
    { maxBatchRecords: 2 },
  );
  await fleet.put(4);
  await fleet.event("checkpointed");
  await fleet.until(() => refused.length === 1);
  await first.close();
  expect(refused[0]).toBeInstanceOf(RangeError);
  const found: unknown[] = [];
  const again: string[] = [];
  fleet.start(
    "b",
    fromRecordProcessor(() => ({
      async initialize({ pendingCheckpoint }) {
        const { sequenceNumber, state } = pendingCheckpoint ?? {};
        found.push({ sequenceNumber, state: Buffer.from(state ?? []).toString() });
      },
      async processRecords({ records }) {
        again.push(...records.map((record) => record.text()));
        fleet.tick();
      },
    })),
  );
  await fleet.until(() => again.length === 2);
  expect(again).toEqual(seen.slice(2).map((record) => record.text()));
  expect(found).toEqual([{ sequenceNumber: seen[2]?.sequenceNumber, state: "half done" }]);
});
