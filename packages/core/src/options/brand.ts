/**
 * Pure. Recognises an object by the brand that its class gave it.
 *
 * A process may hold two copies of a package, whose classes differ; `Symbol.for` gives both the same brand, and a class
 * that looks for it in `[Symbol.hasInstance]` recognises the objects of either copy.
 */

/** True for an object that carries `brand`, its own or inherited. */
export function isBranded(value: unknown, brand: symbol): boolean {
  return typeof value === "object" && value !== null && brand in value;
}
