export { MemoryLeaseTable } from "./io/memory-lease-table.ts";
