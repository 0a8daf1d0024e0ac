/**
 * Pure. [C11] Calls of `runEach` with records of one key: one at a time, in the order of the shard, and each until it
 * has succeeded.
 */
import { hold, Violations, type Checker } from "../world/checker.ts";
import { comparePlaces, type Place } from "./place.ts";

interface KeyState {
  isRunning: boolean;
  /** The record called last. */
  place: Place;
  hasSucceeded: boolean;
}

export class KeyOrder implements Checker {
  readonly invariant = "C11";
  readonly #tenures = new WeakMap<AbortSignal, { running: number; readonly keys: Map<string, KeyState> }>();
  readonly #violations = new Violations();
  /** Calls that were under way beside another one of their shard. */
  overlaps = 0;

  /** A call begins. `lease` is the signal of one tenure of the shard. Gives what is called at its end. */
  begin(lease: AbortSignal, shardId: string, partitionKey: string, place: Place): (hasSucceeded: boolean) => void {
    const tenure = this.#tenures.get(lease) ?? { running: 0, keys: new Map<string, KeyState>() };
    this.#tenures.set(lease, tenure);
    const key = `${shardId} ${partitionKey}`;
    const before = tenure.keys.get(partitionKey);
    this.#violations.catch(() => {
      if (before === undefined) return;
      hold("C11", !before.isRunning, () => `${key}: a record is handled while another one of its key is`);
      const order = comparePlaces(before.place, place);
      hold(
        "C11",
        order < 0 === before.hasSucceeded && order <= 0,
        () =>
          `${key}: ${placeText(place)} after ${placeText(before.place)}, which ${before.hasSucceeded ? "succeeded" : "failed"}`,
      );
    });
    const state: KeyState = { isRunning: true, place, hasSucceeded: false };
    tenure.keys.set(partitionKey, state);
    if (tenure.running > 0) this.overlaps++;
    tenure.running++;
    return (hasSucceeded) => {
      state.isRunning = false;
      state.hasSucceeded = hasSucceeded;
      tenure.running--;
    };
  }

  check(): void {
    this.#violations.check();
  }
}

function placeText({ sequenceNumber, subSequenceNumber }: Place): string {
  return `${sequenceNumber}:${subSequenceNumber}`;
}
