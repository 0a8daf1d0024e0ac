/**
 * Pure. Conditions and changes of rows as DynamoDB's expressions.
 *
 * Every attribute goes through a name placeholder: some of KCL's names (`data`, `properties`) are reserved words.
 */
import type { Attribute, Condition, RowUpdate } from "../leases/table-row.ts";

/** The expression parts of one request; maps that would be empty are absent, because DynamoDB refuses them. */
export interface ExpressionParts {
  ConditionExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, Attribute>;
}

class Placeholders {
  readonly names = new Map<string, string>();
  readonly values: Record<string, Attribute> = {};
  #valueCount = 0;

  name(attribute: string): string {
    const known = this.names.get(attribute);
    if (known !== undefined) return known;
    const placeholder = `#n${this.names.size}`;
    this.names.set(attribute, placeholder);
    return placeholder;
  }

  value(attribute: Attribute): string {
    const placeholder = `:v${this.#valueCount++}`;
    this.values[placeholder] = attribute;
    return placeholder;
  }

  into(parts: ExpressionParts): ExpressionParts {
    if (this.names.size > 0) {
      parts.ExpressionAttributeNames = Object.fromEntries([...this.names].map(([name, short]) => [short, name]));
    }
    if (this.#valueCount > 0) parts.ExpressionAttributeValues = this.values;
    return parts;
  }
}

function conditionText(conditions: readonly Condition[], placeholders: Placeholders): string {
  return conditions
    .map((condition) => {
      const name = placeholders.name(condition.attribute);
      if (condition.is === "present") return `attribute_exists(${name})`;
      if (condition.is === "absent") return `attribute_not_exists(${name})`;
      return `${name} = ${placeholders.value(condition.value)}`;
    })
    .join(" AND ");
}

/** The expression parts of a put, delete or condition check. */
export function conditionParts(conditions: readonly Condition[]): ExpressionParts {
  const placeholders = new Placeholders();
  const parts: ExpressionParts = {};
  if (conditions.length > 0) parts.ConditionExpression = conditionText(conditions, placeholders);
  return placeholders.into(parts);
}

/** The expression parts of an update. */
export function updateParts(update: RowUpdate): ExpressionParts {
  const placeholders = new Placeholders();
  const clauses: string[] = [];
  const set = Object.entries(update.set ?? {});
  if (set.length > 0) {
    const items = set.map(([name, value]) => `${placeholders.name(name)} = ${placeholders.value(value)}`);
    clauses.push(`SET ${items.join(", ")}`);
  }
  const add = Object.entries(update.add ?? {});
  if (add.length > 0) {
    const items = add.map(
      ([name, amount]) => `${placeholders.name(name)} ${placeholders.value({ N: String(amount) })}`,
    );
    clauses.push(`ADD ${items.join(", ")}`);
  }
  const remove = update.remove ?? [];
  if (remove.length > 0) clauses.push(`REMOVE ${remove.map((name) => placeholders.name(name)).join(", ")}`);
  const parts: ExpressionParts = { UpdateExpression: clauses.join(" ") };
  if (update.conditions.length > 0) parts.ConditionExpression = conditionText(update.conditions, placeholders);
  return placeholders.into(parts);
}
