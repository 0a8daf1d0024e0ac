/**
 * Driver. Begins the generations of a flow at another agent's checkpoints.
 */
import { emptyHash } from "./file-id.ts";
import { inodeKey, type Sighting } from "./files.ts";
import { initialFraming } from "./framing.ts";
import { Generation } from "./generation.ts";
import type { GenerationBook } from "./generation-book.ts";
import { type ForeignCheckpoint, planTakeover } from "./takeover-plan.ts";

/** From here on the flow is known: files without a generation are new, and read from their start. */
export function takeOver(
  book: GenerationBook,
  checkpoints: readonly ForeignCheckpoint[],
  sightings: readonly Sighting[],
): void {
  const { flow, headerLines, onChunkDone, publish, system } = book.options;
  const taken = planTakeover(checkpoints, sightings);
  for (const { positionBytes, ...file } of taken) {
    const generation = new Generation(
      {
        ...file,
        id: system.uuid(),
        // Nothing is known of the bytes; what the first look finds there counts from then on.
        fingerprint: emptyHash,
        marker: emptyHash,
        positionBytes,
        framing: initialFraming(positionBytes === 0 ? headerLines : 0),
        isMissing: false,
        updatedMs: system.wallNow(),
      },
      system.now(),
      onChunkDone,
    );
    book.generations.set(generation.id, generation);
    book.byInode.set(inodeKey(generation), generation);
  }
  book.isKnown = true;
  publish({ type: "checkpoints-taken-over", flow, files: taken.length });
}
