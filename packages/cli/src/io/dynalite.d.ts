/** Adapter. The part of dynalite's interface that is used here; the package has no types of its own. */
declare module "dynalite" {
  import type { Server } from "node:http";

  /** A DynamoDB server that keeps its tables in memory. */
  export default function dynalite(options?: {
    /** How long a new table stays in CREATING, in milliseconds. */
    readonly createTableMs?: number;
  }): Server;
}
