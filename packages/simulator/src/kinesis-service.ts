/**
 * Driver. Kinesis Data Streams in a process: takes calls by their wire names and answers as the service does.
 */
import { isActionName } from "./actions/action-names.ts";
import { ServiceError } from "./service-error.ts";
import type { CallContext, KinesisExecutor, ServiceInput, ServiceOutput } from "./service-port.ts";

/** A service with streams of its own; nothing of it outlives the object. */
export class KinesisService implements KinesisExecutor {
  /** Carries one call out. @throws {ServiceError} where the service would refuse it. */
  // oxlint-disable-next-line require-await
  async execute(action: string, _input: ServiceInput, _context: CallContext = {}): Promise<ServiceOutput> {
    if (!isActionName(action)) throw new ServiceError("UnknownOperationException", "");
    throw new ServiceError("InternalFailure", `${action} is not simulated.`, 500);
  }
}
