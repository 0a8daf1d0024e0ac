/**
 * Pure. Rows of a lease table and conditional changes to them, as plain data that any table can carry out.
 *
 * One description serves DynamoDB, the memory table and the simulation's table, so that the conditions of kcl.md 1.4
 * are written once and tested once.
 */

/** A value as DynamoDB types it. Numbers are decimal strings without exponent. */
export type Attribute =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Uint8Array }
  | { readonly SS: readonly string[] }
  | { readonly L: readonly Attribute[] }
  | { readonly M: Readonly<Record<string, Attribute>> };

/** A row with its key attribute. */
export type Row = Readonly<Record<string, Attribute>>;

/** What must hold for a write to happen; all of them. */
export type Condition =
  | { readonly attribute: string; readonly is: "present" }
  | { readonly attribute: string; readonly is: "absent" }
  | { readonly attribute: string; readonly is: "equal"; readonly value: Attribute };

/** A change of single attributes, which leaves all others as they are, also those unknown to us. */
export interface RowUpdate {
  readonly key: string;
  readonly conditions: readonly Condition[];
  readonly set?: Readonly<Record<string, Attribute>>;
  readonly remove?: readonly string[];
  /** Added to numbers; an absent number counts as 0. */
  readonly add?: Readonly<Record<string, number>>;
}

/** The text of a string attribute; undefined when it is absent or of another type. */
export function textOf(row: Row, name: string): string | undefined {
  const attribute = row[name];
  return attribute !== undefined && "S" in attribute ? attribute.S : undefined;
}

/** A number attribute as a number; undefined when it is absent, of another type, or no number. */
export function numberOf(row: Row, name: string): number | undefined {
  const attribute = row[name];
  if (attribute === undefined || !("N" in attribute)) return undefined;
  const value = Number(attribute.N);
  return Number.isFinite(value) ? value : undefined;
}

/** A number attribute that is an integer of any size; undefined when it is absent or no integer. */
export function integerOf(row: Row, name: string): bigint | undefined {
  const attribute = row[name];
  return attribute !== undefined && "N" in attribute && /^-?\d+$/.test(attribute.N) ? BigInt(attribute.N) : undefined;
}

/** A string set; empty when it is absent. */
export function textsOf(row: Row, name: string): readonly string[] {
  const attribute = row[name];
  return attribute !== undefined && "SS" in attribute ? attribute.SS : [];
}

/** A number for DynamoDB: decimal, without exponent. */
export function numberAttribute(value: number | bigint): Attribute {
  if (typeof value === "bigint") return { N: value.toString() };
  const plain = String(value);
  return { N: plain.includes("e") ? value.toFixed(20).replace(/\.?0+$/, "") : plain };
}

/** True when both hold the same value; the order inside a set does not count. */
export function attributesEqual(a: Attribute | undefined, b: Attribute | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if ("S" in a) return "S" in b && a.S === b.S;
  if ("N" in a) return "N" in b && (a.N === b.N || Number(a.N) === Number(b.N));
  if ("B" in a) return "B" in b && Buffer.compare(a.B, b.B) === 0;
  if ("SS" in a) return "SS" in b && a.SS.length === b.SS.length && a.SS.every((text) => b.SS.includes(text));
  return JSON.stringify(a) === JSON.stringify(b);
}

/** True when all conditions hold for the row; an absent row has no attributes. */
export function conditionsHold(row: Row | undefined, conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => {
    const attribute = row?.[condition.attribute];
    if (condition.is === "present") return attribute !== undefined;
    if (condition.is === "absent") return attribute === undefined;
    return attributesEqual(attribute, condition.value);
  });
}

/** The row after the change, whose conditions hold. As in DynamoDB, an update of an absent row creates it. */
export function applyUpdate(row: Row | undefined, keyAttribute: string, update: RowUpdate): Row {
  const next: Record<string, Attribute> = { ...row, [keyAttribute]: { S: update.key }, ...update.set };
  for (const name of update.remove ?? []) delete next[name];
  for (const [name, amount] of Object.entries(update.add ?? {})) {
    const before = next[name];
    const value = before !== undefined && "N" in before ? BigInt(before.N) : 0n;
    next[name] = { N: (value + BigInt(amount)).toString() };
  }
  return next;
}
