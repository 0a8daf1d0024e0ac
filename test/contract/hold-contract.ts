/**
 * Driver. Holds one Kinesis to every case of the contract, but for its known deviations, which must still occur.
 */
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fanOutCases } from "./cases/fan-out.ts";
import { readCases } from "./cases/reads.ts";
import { reshardingCases } from "./cases/resharding.ts";
import { streamCases } from "./cases/streams.ts";
import { wireCases } from "./cases/wire.ts";
import { writeCases } from "./cases/writes.ts";
import type { ContractCase } from "./contract-case.ts";
import type { Deviation } from "./deviations.ts";
import { ServiceUnderTest } from "./service-under-test.ts";
import type { RunningService } from "./service-under-test.ts";

export const contractCases: readonly ContractCase[] = [
  ...wireCases,
  ...streamCases,
  ...writeCases,
  ...readCases,
  ...reshardingCases,
  ...fanOutCases,
];

/** Cases that cost an emulator many seconds run where this is set. */
const runsAll = process.env["MILLRACE_CONTRACT_ALL"] !== undefined;

/** Declares the tests of a target. */
export function holdContract(
  name: string,
  start: () => Promise<RunningService>,
  deviations: readonly Deviation[],
  slowCases: readonly string[] = [],
): void {
  describe(`contract: ${name}`, () => {
    let running: RunningService;
    let service: ServiceUnderTest;

    beforeAll(async () => {
      running = await start();
      const client = new KinesisClient({
        endpoint: running.endpoint,
        region: "us-east-1",
        credentials: { accessKeyId: "any", secretAccessKey: "any" },
        maxAttempts: 1,
        requestHandler: new NodeHttpHandler({ requestTimeout: 15_000 }),
      });
      service = new ServiceUnderTest(running.endpoint, client);
    });

    afterAll(async () => {
      service.client.destroy();
      await running.close();
    });

    const cases = contractCases.filter((item) => runsAll || !slowCases.includes(item.name));
    const deviating = cases.filter((item) => deviations.some((deviation) => deviation.name === item.name));

    test.each(cases.filter((item) => !deviating.includes(item)))("$name", async ({ run }) => {
      await expect(run(service)).resolves.toBeUndefined();
    });

    test.each(deviating)("does not keep: $name", async ({ run }) => {
      await expect(run(service)).rejects.toBeInstanceOf(Error);
    });
  });
}
