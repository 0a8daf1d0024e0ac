/**
 * Pure. A registered consumer of a stream.
 */

/** A registered consumer of enhanced fan-out. */
export interface StreamConsumer {
  readonly consumerName: string;
  readonly consumerArn: string;
  readonly createdWallMs: number;
  readonly tags: Map<string, string>;
  status: "CREATING" | "ACTIVE" | "DELETING";
}
