/**
 * Adapter. A DynamoDB of its own for a test: dynalite, in memory, on loopback.
 */
import dynalite from "dynalite";
import type { AddressInfo } from "node:net";

export interface Dynalite {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts one with no tables in it. */
export async function startDynalite(): Promise<Dynalite> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
