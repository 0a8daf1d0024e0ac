import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "test/{contract,integration,interop,simulation,tidy}/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    // For what hangs, not for what is slow: how long a test takes on a busy machine says nothing about the code.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Unit tests share the machine with the servers and worker processes that integration tests start.
    maxWorkers: 2,
  },
});
