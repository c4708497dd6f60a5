/** How much of everything a run does. */
export interface Plan {
  readonly rounds: number;
  /** Of one run at 64 connections; at fewer, fewer. */
  readonly requests: number;
  readonly warmUp: number;
  readonly logins: number;
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
  requests: 8_000,
  warmUp: 3_000,
  logins: 256,
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
  requests: 2_000,
  warmUp: 500,
  logins: 64,
  starts: 3,
  leases: 10_000,
  entries: 100_000,
};
