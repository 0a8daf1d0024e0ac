export type { ApplicationReport, LeaseReport, WorkerReport } from "./operate/application-report.ts";
export { readApplication, resetApplication } from "./operate/operate.ts";
export type { ApplicationOptions, OperateWiring, ResetOptions, ResetReport } from "./operate/operate.ts";
