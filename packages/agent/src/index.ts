/**
 * Driver. What `@millrace/agent` gives to programs that embed the agent.
 */
export { Agent } from "./agent.ts";
export type { AgentOptions, AgentWiring, FlowStatus, ReloadStatus } from "./options.ts";
export type { AgentConfigInput, FlowConfigInput } from "./config/schema.ts";
export type { Destination, OutgoingRecord } from "./destination.ts";
export type { AgentEvent, FlowCounters } from "./events.ts";
export type { FileFault, FileStat, FileSystem, Opened, OpenFile, Sighting, Stated } from "./flow/files.ts";
export type { FlowFile } from "./flow/flow-file.ts";
export { MemoryPositionStore } from "./flow/memory-position-store.ts";
export type { PositionStore, SavedFlow, SavedGeneration } from "./flow/positions.ts";
export { AmbiguousFileError } from "./flow/generation-book.ts";
export { PositionsUnreadableError } from "./io/position-schema.ts";
export { PositionsUnavailableError } from "./io/position-store.ts";
export { ConfigError } from "@millrace/core/options";
