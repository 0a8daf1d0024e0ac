/**
 * Driver. Kinesis Data Streams in a process: takes calls by their wire names and answers as the service does.
 */
import { isActionName } from "./actions/action-names.ts";
import { inputs } from "./actions/inputs.ts";
import { runAction, takeActionCall } from "./actions/registry.ts";
import { ServiceError } from "./service-error.ts";
import type { CallContext, KinesisExecutor, ServiceInput, ServiceOutput } from "./service-port.ts";
import type { ServiceState } from "./service-state.ts";
import { checkInput } from "./shapes/check-input.ts";

/** The service of one account in one region. */
export class KinesisService implements KinesisExecutor {
  readonly #state: ServiceState;

  constructor(state: ServiceState) {
    this.#state = state;
  }

  /**
   * Carries one call out. The service keeps the blobs of the input: the caller must not write to them afterwards.
   * What it returns belongs to the service too.
   * @throws {ServiceError} where the service would refuse the call.
   */
  async execute(action: string, input: ServiceInput, context: CallContext = {}): Promise<ServiceOutput> {
    const { meter } = this.#state;
    meter.countCall(action);
    try {
      return this.#answer(action, input, context);
    } catch (error) {
      if (error instanceof ServiceError) meter.countFailure(error.code);
      throw error;
    }
  }

  #answer(action: string, input: ServiceInput, context: CallContext): ServiceOutput {
    if (!isActionName(action)) throw new ServiceError("UnknownOperationException", `Unknown operation ${action}.`);
    checkInput(inputs[action], input);
    takeActionCall(this.#state, action);
    return runAction(action, this.#state, input, context);
  }
}
