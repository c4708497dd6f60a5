/**
 * Somebody or something goes: one commit disables it and raises the epoch, so that nothing is issued on it any more;
 * what it held is ended by the queue, and each death is shown.
 */
import { z } from 'zod';
import type { LeaseFilter } from '../core/change.ts';
import type { RegisterChange } from '../core/change/register.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import type { PersonName, VendorName } from '../core/ids.ts';
import { parseWith, words } from '../core/parse.ts';
import type { Agent } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Holding } from '../core/store/leases.ts';
import { instant } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { administratorAt } from './administrator.ts';
import { perform } from './commit.ts';
import { EVERYTHING } from './registers.ts';

const KINDS = ['person', 'agent', 'vendor', 'tenant'] as const;

/** Who or what goes. A vendor is whatever the register of agents calls so, whether it has a record or not. */
export interface Leaver {
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
}

const leaverForm = z.strictObject({ kind: z.enum(KINDS), name: words(100) });
const offboardForm = z.strictObject({ ...leaverForm.shape, reason: words(1000) });

export interface Offboarded {
  readonly leaver: Leaver;
  readonly receipt: Receipt;
  /** What was ended from then on is listed with what is not dead yet. */
  readonly since: Instant;
}

/** Each node ends leases by its own measure of the database's clock. */
const CLOCKS_DIFFER_MS = 2_000;
/** Each try reads the registers anew; whoever goes should not stay because somebody else was added. */
const TRIES = 5;

export const parseLeaver = (input: unknown): Result<Leaver> => parseWith(leaverForm, input);

export async function offboard(deps: Deps, operator: OperatorPrincipal, body: unknown): Promise<Result<Offboarded>> {
  const form = parseWith(offboardForm, body);
  if (!form.ok) return form;
  const { reason, ...leaver } = form.value;
  const since = instant(deps.clock() - CLOCKS_DIFFER_MS);
  for (let tries = 1; ; tries++) {
    const done = await offboardOnce(deps, operator, leaver, reason);
    if (done.ok) return ok({ leaver, receipt: done.value, since });
    if (done.error.code !== 'contended' || tries === TRIES) return done;
  }
}

async function offboardOnce(
  deps: Deps,
  operator: OperatorPrincipal,
  leaver: Leaver,
  reason: string,
): Promise<Result<Receipt>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock());
  if (!by.ok) return by;
  const leaving = await leavingOf(deps, place, leaver);
  if (!leaving.ok) return leaving;
  const { change, ends, agents } = leaving.value;
  return perform(deps, {
    by: by.value,
    change,
    ends,
    ledger: null,
    facts: { offboarded: leaver.kind, agents, ...(leaver.kind === 'vendor' ? {} : { [leaver.kind]: leaver.name }) },
    said: { reason, ...(leaver.kind === 'vendor' ? { vendor: leaver.name } : {}) },
  });
}

interface Leaving {
  readonly change: RegisterChange;
  readonly ends: readonly LeaseFilter[];
  /** Those that get nothing from then on. */
  readonly agents: readonly string[];
}

async function leavingOf(deps: Deps, { vendors }: DeploymentSnapshot, leaver: Leaver): Promise<Result<Leaving>> {
  switch (leaver.kind) {
    case 'person': {
      const person = parseName('person', leaver.name, 'name');
      if (!person.ok) return person;
      const agents = namesOf(await agentsOf(deps, leaver));
      const ends = [{ ...EVERYTHING, owner: person.value }, ...agents.map((agent) => ({ ...EVERYTHING, agent }))];
      return ok({ change: { kind: 'person.offboard', person: person.value }, ends, agents });
    }
    case 'tenant': {
      const tenant = parseName('tenant', leaver.name, 'name');
      if (!tenant.ok) return tenant;
      const ends = [{ ...EVERYTHING, tenant: tenant.value }];
      return ok({ change: { kind: 'tenant.remove', tenant: tenant.value }, ends, agents: [] });
    }
    case 'agent':
    case 'vendor': {
      const agents = namesOf(await agentsOf(deps, leaver));
      const record = leaver.kind === 'vendor' ? vendors.get(leaver.name as VendorName) : undefined;
      const vendor = record?.name ?? null;
      if (agents.length === 0 && vendor === null)
        return err(failure('not_found', `there is no such ${leaver.kind}`, { path: 'name' }));
      const ends = agents.map((agent) => ({ ...EVERYTHING, agent }));
      return ok({ change: { kind: 'agents.offboard', agents, vendor }, ends, agents });
    }
  }
}

const namesOf = (agents: readonly Agent[]) => agents.map(({ name }) => name);

/** Read after the epoch that the commit rests on: another agent of the vendor or the person, put meanwhile, moves it. */
async function agentsOf(deps: Deps, { kind, name }: Leaver): Promise<readonly Agent[]> {
  const by = kind === 'agent' ? 'name' : kind === 'person' ? 'owner' : 'vendor';
  return (await deps.store.agents()).filter((agent) => agent[by] === name);
}

export async function holdingOf(deps: Deps, leaver: Leaver): Promise<Result<Holding>> {
  const nothing: Holding = { tenant: null, owner: null, agents: null };
  switch (leaver.kind) {
    case 'person':
      // What their agents hold may have been given while another owned them.
      return ok({ ...nothing, owner: leaver.name as PersonName, agents: namesOf(await agentsOf(deps, leaver)) });
    case 'tenant': {
      const tenant = parseName('tenant', leaver.name, 'name');
      return tenant.ok ? ok({ ...nothing, tenant: tenant.value }) : tenant;
    }
    case 'agent':
    case 'vendor':
      return ok({ ...nothing, agents: namesOf(await agentsOf(deps, leaver)) });
  }
}

const FIRST_LOOK_MS = 100;
const SLOWEST_LOOK_MS = 2_000;

/** Until all of it is dead, or so long. @returns how many are not. */
export async function waitForDeaths(deps: Deps, held: Holding, wait: Seconds): Promise<number> {
  const until = deps.clock() + wait * 1000;
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(2 * pause, SLOWEST_LOOK_MS)) {
    const alive = await deps.store.unended(held);
    const left = until - deps.clock();
    if (alive === 0 || left <= 0) return alive;
    await deps.pause(Math.min(pause, left));
  }
}
