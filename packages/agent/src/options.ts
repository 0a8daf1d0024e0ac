/**
 * Pure. How an agent is set up, and what it says of itself.
 */
import type { FirehoseClient } from "@aws-sdk/client-firehose";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { KinesisPort } from "@millrace/core/kinesis";
import type { System } from "@millrace/core/runtime";
import type { AgentConfigInput, FlowConfig, FlowConfigInput } from "./config/schema.ts";
import type { Destination } from "./destination.ts";
import type { AgentEvent, FlowCounters } from "./events.ts";
import type { FileSystem } from "./flow/files.ts";
import type { FlowFile } from "./flow/flow-file.ts";
import type { PositionStore } from "./flow/positions.ts";

/** How an agent is set up. Give `config` or `flows`. */
export interface AgentOptions {
  /** The content of an agent.json. */
  readonly config?: AgentConfigInput | undefined;
  /** The flows alone, every other key at its default. */
  readonly flows?: readonly FlowConfigInput[] | undefined;
  /**
   * The AWS client: credentials, region, endpoint, proxy and TLS are its own. It stays open when the agent closes.
   * @default a client made from the configuration's keys, and from the environment where it has none.
   */
  readonly client?: KinesisClient | undefined;
  /** The same for flows with a `deliveryStream`. */
  readonly firehoseClient?: FirehoseClient | undefined;
  /** File of the positions; made where it is not there. @default the configuration's `positionsFile`. */
  readonly positionsPath?: string | undefined;
  /** Called with every event. It must not block. */
  readonly onEvent?: ((event: AgentEvent) => void) | undefined;
}

/** What may stand in for the agent's surroundings. @internal */
export interface AgentWiring {
  readonly kinesis?: KinesisPort | undefined;
  readonly system?: System | undefined;
  readonly files?: FileSystem | undefined;
  readonly store?: PositionStore | undefined;
  readonly createDestination?: ((flow: FlowConfig) => Destination) | undefined;
}

/** One flow as it stands. */
export interface FlowStatus {
  readonly flow: string;
  readonly counters: Readonly<FlowCounters>;
  readonly unsettledRecords: number;
  /** The failure that keeps records from passing; undefined while they pass. */
  readonly trouble: string | undefined;
  /** For how long records have failed and none has been stored, in milliseconds; null once the flow has failed. */
  readonly stuckMs: number | null;
  readonly files: readonly FlowFile[];
}

/** What came of a reload of the configuration. */
export type ReloadStatus =
  | { readonly at: string; readonly ok: true }
  /** The configuration before it goes on. */
  | { readonly at: string; readonly ok: false; readonly error: string };

/** What a running agent answers when it is asked for its status. */
export interface AgentStatus {
  readonly flows: readonly FlowStatus[];
  readonly lastReload?: ReloadStatus | undefined;
}
