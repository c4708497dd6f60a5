/** A page of rows. */
export interface Page {
  readonly limit: number;
  /** Rows after this id, newest first. */
  readonly before: string | null;
}
