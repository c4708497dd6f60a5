/** How much of everything a run does. */
export interface Plan {
  readonly rounds: number;
  /** A run ends after so many seconds, or when what was made beforehand has been sent. */
  readonly window: { readonly seconds: number; readonly requests: number };
  readonly warmUp: number;
  readonly starts: number;
  readonly many: number;
  readonly most: number;
  readonly leases: number;
  readonly entries: number;
  told(name: string, round: number): void;
}

const told = (name: string, round: number): void => {
  process.stderr.write(`round ${round + 1}: ${name}\n`);
};

export const FULL: Plan = {
  rounds: 5,
  // More would be signed, before the clock starts, than one process sends in that time on two cores.
  window: { seconds: 2, requests: 6_000 },
  warmUp: 2_000,
  starts: 5,
  many: 1_000,
  most: 10_000,
  leases: 100_000,
  entries: 1_000_000,
  told,
};

/** To see that everything runs; its figures are worth little. */
export const QUICK: Plan = {
  ...FULL,
  rounds: 3,
  window: { seconds: 1, requests: 3_000 },
  warmUp: 500,
  starts: 3,
  leases: 10_000,
  entries: 100_000,
};
