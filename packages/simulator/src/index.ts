export { KinesisService } from "./kinesis-service.ts";
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
export { actionNames } from "./actions/action-names.ts";
export type { ActionName } from "./actions/action-names.ts";
