import { kinesisLocalDeviations } from "./deviations.ts";
import { holdContract } from "./hold-contract.ts";
import { startKinesisLocal } from "./targets.ts";

// Five to eight seconds of its one core each.
const slowCases = ["a request may hold 6 MiB", "a request may not hold 11 MiB"];

holdContract("kinesis-local", startKinesisLocal, kinesisLocalDeviations, slowCases);
