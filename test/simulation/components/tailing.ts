/**
 * Driver. An agent that ships the logs of its host.
 */
import { Agent, type AgentEvent, type FlowConfigInput } from "@millrace/agent";
import type { VirtualHost } from "@millrace/simulator";
import type { Lines } from "../checkers/lines.ts";
import type { Disk } from "../disk/disk.ts";
import { AgentFiles, type DiskConditions } from "../disk/file-system-over.ts";
import type { SavedPositions } from "../disk/saved-positions.ts";
import type { Component, RunningComponent } from "../world/component.ts";
import type { World } from "../world/world.ts";

export interface TailingOptions {
  readonly name: string;
  readonly flows: readonly FlowConfigInput[];
  readonly disk: Disk;
  readonly conditions: () => DiskConditions;
  readonly positions: SavedPositions;
  readonly lines: Lines;
  readonly onEvent: (event: AgentEvent) => void;
  /** Called with what must not be. */
  readonly onBroken: (what: string) => void;
}

export class Tailing implements Component {
  readonly name: string;
  readonly #options: TailingOptions;
  #agent: Agent | undefined;

  constructor(options: TailingOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Of the life that is under way. */
  get agent(): Agent | undefined {
    return this.#agent;
  }

  start(world: World, host: VirtualHost): RunningComponent {
    const { flows, disk, conditions, positions, lines, onEvent, onBroken } = this.#options;
    const files = new AgentFiles(disk, host, conditions);
    const agent = new Agent(
      { flows: [...flows], positionsPath: "/nowhere/positions.db", onEvent },
      { kinesis: world.kinesisFor(host), system: host.system, files, store: positions },
    );
    this.#agent = agent;
    agent.start();
    const end = () => {
      this.#agent = undefined;
      files.releaseAll();
      lines.onLifeEnded();
    };
    return {
      stop: async () => {
        await agent.close();
        if (files.openCount > 0) onBroken(`the agent left ${files.openCount} files open`);
        end();
      },
      killed: end,
    };
  }
}
