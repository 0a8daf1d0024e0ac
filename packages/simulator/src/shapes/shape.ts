/**
 * Pure. How an input is described: its members with their types and constraints, and the TypeScript type that follows.
 */

export interface TextShape {
  readonly kind: "text";
  /** Characters. */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  /** The values of an enumeration. */
  readonly values?: readonly string[];
}

export interface IntegerShape {
  readonly kind: "integer";
  readonly min?: number;
  readonly max?: number;
}

export interface FlagShape {
  readonly kind: "flag";
}

export interface TimeShape {
  readonly kind: "time";
}

export interface BlobShape {
  readonly kind: "blob";
  /** Bytes. */
  readonly max?: number;
}

export interface ListShape {
  readonly kind: "list";
  readonly member: Shape;
  readonly min?: number;
  readonly max?: number;
}

export interface MapShape {
  readonly kind: "map";
  readonly key: TextShape;
  readonly value: Shape;
  readonly min?: number;
  readonly max?: number;
}

export interface StructureShape {
  readonly kind: "structure";
  readonly fields: Readonly<Record<string, Field>>;
}

export type Shape =
  | TextShape
  | IntegerShape
  | FlagShape
  | TimeShape
  | BlobShape
  | ListShape
  | MapShape
  | StructureShape;

/** A member of a structure. */
export interface Field {
  readonly required: boolean;
  readonly shape: Shape;
}

/** Carries the TypeScript type of the values that fit a shape; `valueType` is never there at run time. */
export interface Typed<T> {
  readonly valueType?: T;
}

type ValueOf<S> = S extends Typed<infer T> ? T : never;

type ValueOfFields<F> = {
  readonly [K in keyof F as F[K] extends { required: true } ? K : never]: F[K] extends { shape: infer S }
    ? ValueOf<S>
    : never;
} & {
  readonly [K in keyof F as F[K] extends { required: true } ? never : K]?:
    | (F[K] extends { shape: infer S } ? ValueOf<S> : never)
    | undefined;
};

/** The type of an input that has passed the check against `S`. */
export type InputOf<S> = ValueOf<S>;

type Constraints<S extends Shape> = Omit<S, "kind">;

export const text = (constraints: Constraints<TextShape> = {}): TextShape & Typed<string> => ({
  kind: "text",
  ...constraints,
});

export const choice = <const V extends string>(...values: readonly V[]): TextShape & Typed<V> => ({
  kind: "text",
  values,
});

export const integer = (constraints: Constraints<IntegerShape> = {}): IntegerShape & Typed<number> => ({
  kind: "integer",
  ...constraints,
});

export const flag: FlagShape & Typed<boolean> = { kind: "flag" };
export const time: TimeShape & Typed<Date> = { kind: "time" };

export const blob = (constraints: Constraints<BlobShape> = {}): BlobShape & Typed<Uint8Array> => ({
  kind: "blob",
  ...constraints,
});

export const list = <M extends Shape>(
  member: M,
  constraints: { readonly min?: number; readonly max?: number } = {},
): ListShape & Typed<readonly ValueOf<M>[]> => ({ kind: "list", member, ...constraints });

export const map = <V extends Shape>(
  key: TextShape,
  value: V,
  constraints: { readonly min?: number; readonly max?: number } = {},
): MapShape & Typed<Readonly<Record<string, ValueOf<V>>>> => ({ kind: "map", key, value, ...constraints });

export const structure = <const F extends Readonly<Record<string, Field>>>(
  fields: F,
): StructureShape & Typed<ValueOfFields<F>> => ({ kind: "structure", fields });

/** A member that must be there. */
export const must = <S extends Shape>(shape: S): { readonly required: true; readonly shape: S } => ({
  required: true,
  shape,
});

/** A member that may be left out. */
export const may = <S extends Shape>(shape: S): { readonly required: false; readonly shape: S } => ({
  required: false,
  shape,
});
