export { actionNames } from "./actions/action-names.ts";
export type { ActionName } from "./actions/action-names.ts";
export type { Bill, BillingMeter, BillLine, MeterCounts } from "./billing.ts";
export { faultKinds } from "./faults/fault.ts";
export type { Fault, FaultKind, FaultOptions } from "./faults/fault.ts";
export { parseFault } from "./faults/parse-fault.ts";
export type { KinesisService } from "./kinesis-service.ts";
export { serviceLimits } from "./limits.ts";
export type { LimitName, LimitOptions } from "./limits.ts";
export type { SimulatorOptions } from "./options.ts";
export { listPrices } from "./prices.ts";
export type { Prices } from "./prices.ts";
export type { SimulatorClock } from "./service-clock.ts";
export type { ServerOptions } from "./server/server-options.ts";
export type { AccessKey } from "./server/signature.ts";
export { ServiceError, WireFault } from "./service-error.ts";
export type { WireFaultKind } from "./service-error.ts";
export type {
  CallContext,
  KinesisExecutor,
  ServiceInput,
  ServiceOutput,
  SimulatorServer,
  SubscribeToShardOutput,
  SubscriptionFrame,
} from "./service-port.ts";
export { KinesisSimulator } from "./simulator.ts";
export type { CreatedStream, CreateStreamOptions, ListenOptions, Resharding, ReshardOptions } from "./simulator.ts";
export { kinesisOver, Network, NetworkError } from "./virtual/network.ts";
export type { NetworkConditions } from "./virtual/network.ts";
export { Prng } from "./virtual/prng.ts";
export type { VirtualHost } from "./virtual/host.ts";
export { Timeline } from "./virtual/timeline.ts";
export type { RunOptions, TimelineOptions, TraceEntry } from "./virtual/timeline.ts";
