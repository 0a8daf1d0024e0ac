export { realSystem, sleep } from "./system.ts";
export type { System, Timer } from "./system.ts";
