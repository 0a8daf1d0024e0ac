import { kinesaliteDeviations } from "./deviations.ts";
import { holdContract } from "./hold-contract.ts";
import { startKinesalite } from "./targets.ts";

holdContract("kinesalite", startKinesalite, kinesaliteDeviations);
