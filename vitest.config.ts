import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "test/{contract,integration,simulation,tidy}/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Unit tests share the machine with the servers and worker processes that integration tests start.
    maxWorkers: 2,
  },
});
