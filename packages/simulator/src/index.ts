export { actionNames } from "./actions/action-names.ts";
export type { ActionName } from "./actions/action-names.ts";
export type { Bill, BillingMeter, BillLine, MeterCounts } from "./billing.ts";
export { KinesisService } from "./kinesis-service.ts";
export { serviceLimits } from "./limits.ts";
export type { LimitName, LimitOptions } from "./limits.ts";
export type { SimulatorOptions } from "./options.ts";
export { listPrices } from "./prices.ts";
export type { Prices } from "./prices.ts";
export type { SimulatorClock } from "./service-clock.ts";
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
export type { CreatedStream, CreateStreamOptions, Resharding, ReshardOptions } from "./simulator.ts";
