/** Values that are not known whole, and what can be said of them all the same. */

export type Scalar = string | number | boolean;

/** What a value can be. */
export type Possible =
  | { readonly is: 'one'; readonly value: Scalar }
  | { readonly is: 'among'; readonly values: readonly Scalar[] }
  /** Whole numbers, both ends included. */
  | { readonly is: 'between'; readonly least: number; readonly most: number }
  /** A set that holds all of `must`, and beside it some of `may`. */
  | { readonly is: 'set'; readonly must: ReadonlySet<Scalar>; readonly may: ReadonlySet<Scalar> }
  | { readonly is: 'text' }
  | { readonly is: 'any' };

export const ANY: Possible = { is: 'any' };
