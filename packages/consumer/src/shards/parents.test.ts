import { afterEach, expect, test } from "vitest";
import { sentinel } from "../checkpoint/checkpoint.ts";
import { newLeaseRow } from "../leases/lease.ts";
import type { ConsumerOptions } from "../options.ts";
import { Scene } from "../testing-support/scene.ts";

const parent = "shardId-000000000000";
const ofParent = ["a", "b", "c", "d"];
const ofChildren = ["e", "f", "g", "h"];
let scene: Scene;

afterEach(() => scene.close());

/** A parent with records, split into children with records that have leases; the parent's was deleted by hand. */
async function startWithoutParent(options: Partial<ConsumerOptions> = {}): Promise<void> {
  scene = new Scene(1);
  await scene.put(...ofParent);
  const { opened } = scene.simulator.reshard({ streamName: "clicks", split: parent });
  await scene.put(...ofChildren);
  for (const shardId of opened) {
    const checkpoint = sentinel("TRIM_HORIZON");
    const child = { leaseKey: shardId, shardId, checkpoint, parentShardIds: [parent], hashRange: undefined };
    await scene.table.put(newLeaseRow(child), []);
  }
  // Rows without a version look like those of KCL 2.x.
  scene.start("a", { takeOverFrom2x: true, ...options });
}

test("a parent whose lease was deleted by hand is read before its children, and to its end [C1] [C5] (kcl.md 9.2, 8)", async () => {
  // KCL takes a missing lease for a finished parent: it reads the children, and the parent never.
  await startWithoutParent();
  await scene.timeline.run({ until: () => scene.seen.length === 8, forMs: 120_000 });
  expect(scene.seen.slice(0, 4).toSorted()).toEqual(ofParent);
  expect(scene.seen.slice(4).toSorted()).toEqual(ofChildren);
});

test("a parent that never had a lease, because reading began later, is not waited for", async () => {
  await startWithoutParent({ initialPosition: "LATEST" });
  await scene.timeline.run({ until: () => scene.seen.length === 4, forMs: 60_000 });
  expect(scene.seen.toSorted()).toEqual(ofChildren);
  expect(scene.table.rows.has(parent)).toBe(false);
});
