/**
 * Driver. Collects what benches measured, prints it as tables, and writes it as JSON.
 */
import { availableParallelism, cpus } from "node:os";
import { writeFileSync } from "node:fs";

/** One contender's result. */
export interface Row {
  readonly name: string;
  /** By unit, like `{ "M records/CPU-s": 1.8 }`. */
  readonly values: Readonly<Record<string, number>>;
  /** How many times the first row's figure this one's is, where rows compete. */
  readonly ratio?: number;
}

/** Results that belong side by side. */
export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

interface Section {
  readonly bench: string;
  readonly method: string;
  readonly tables: Table[];
}

/** Where a bench puts what it measured. */
export class Report {
  readonly #sections: Section[] = [];

  /** Begins a bench: its name, and how it measures, so that a reader can judge the numbers. */
  begin(bench: string, method: string): void {
    this.#sections.push({ bench, method, tables: [] });
    console.log(`\n== ${bench} ==\n${method}`);
  }

  /** Prints a table and keeps it. */
  add(table: Table): void {
    this.#sections.at(-1)?.tables.push(table);
    const units = [...new Set(table.rows.flatMap(({ values }) => Object.keys(values)))];
    const width = Math.max(...table.rows.map(({ name }) => name.length));
    console.log(`\n${table.title}`);
    console.log(`  ${"".padEnd(width)}${units.map((unit) => `  ${unit}`).join("")}  against the first`);
    for (const { name, values, ratio } of table.rows) {
      const cells = units.map((unit) => `  ${format(values[unit]).padStart(unit.length)}`).join("");
      console.log(`  ${name.padEnd(width)}${cells}  ${ratio === undefined ? "" : `${ratio.toFixed(2)}x`}`);
    }
  }

  /** Writes all of it as JSON, with what it ran on. */
  write(file: string): void {
    const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
    writeFileSync(file, `${JSON.stringify({ machine, benches: this.#sections }, undefined, 2)}\n`);
  }
}

function format(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
