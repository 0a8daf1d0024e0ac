/**
 * Driver. Kinesis Data Streams in a process: takes calls by their wire names and answers as the service does.
 */
import { isActionName, type ActionName } from "./actions/action-names.ts";
import { inputs } from "./actions/inputs.ts";
import type { EntryVerdict } from "./actions/put.ts";
import { runAction, takeActionCall } from "./actions/registry.ts";
import type { FaultBook } from "./faults/fault-book.ts";
import { ServiceError, WireFault } from "./service-error.ts";
import type { CallContext, KinesisExecutor, ServiceInput, ServiceOutput } from "./service-port.ts";
import type { ServiceState } from "./service-state.ts";
import { checkInput } from "./shapes/check-input.ts";

/** The service of one account in one region. */
export class KinesisService implements KinesisExecutor {
  readonly #state: ServiceState;
  readonly #faults: FaultBook;

  /** @internal */
  constructor(state: ServiceState, faults: FaultBook) {
    this.#state = state;
    this.#faults = faults;
  }

  /**
   * Carries one call out. The service keeps the blobs of the input: the caller must not write to them afterwards.
   * What it returns belongs to the service too.
   * @throws {ServiceError} where the service would refuse the call.
   * @throws {WireFault} where an ordered fault breaks the way back.
   */
  async execute(action: string, given: ServiceInput, context: CallContext = {}): Promise<ServiceOutput> {
    const { meter } = this.#state;
    meter.countCall(action);
    try {
      if (!isActionName(action)) throw new ServiceError("UnknownOperationException", `Unknown operation ${action}.`);
      const input = checkInput(inputs[action], given);
      if (!this.#faults.hasAny) return this.#answer(action, input, context, undefined);
      return await this.#faults.run(action, input, context, (verdict) => this.#answer(action, input, context, verdict));
    } catch (error) {
      if (error instanceof ServiceError) meter.countFailure(error.code);
      else if (error instanceof WireFault) meter.countFailure(error.kind);
      throw error;
    }
  }

  #answer(
    action: ActionName,
    input: ServiceInput,
    context: CallContext,
    verdict: EntryVerdict | undefined,
  ): ServiceOutput {
    takeActionCall(this.#state, action);
    return runAction(action, this.#state, input, { ...context, verdict });
  }
}
