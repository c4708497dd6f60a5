/** `/api/offboard`: who goes, how dead what they held is, and who takes over what they left. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import type { Lease } from '../core/lease.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { parseInstant, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { acceptAgent } from '../administer/accept.ts';
import { administratorAt } from '../administer/administrator.ts';
import { holdingOf, offboard, parseLeaver, waitForDeaths } from '../administer/offboard.ts';
import { deathShown } from '../attribute/timeline.ts';
import { readJson } from './body.ts';
import { currentDeployment, operatorOf } from './caller.ts';
import { pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { waitOf } from './wait.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const offboarding = new Hono<Scope>();

offboarding.post('/offboard', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const wait = waitOf(c, seconds(0));
  if (!wait.ok) return problem(c, wait.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const { deps } = c.var;
  const done = await offboard(deps, operator.value, body.value);
  if (!done.ok) return problem(c, done.error);
  const { leaver, receipt, since } = done.value;
  const held = await holdingOf(deps, leaver);
  if (!held.ok) return problem(c, held.error);
  const alive = await waitForDeaths(deps, held.value, wait.value);
  return answer(c, { ...leaver, since: toRfc3339(since), alive, receipt: receiptWire(receipt) });
});

/** Whose, and since when. */
const HELD_QUERY = ['kind', 'name', 'since'];

/** What it held: all that is not dead yet, and what was ended since. */
offboarding.get('/offboard', async (c) => {
  const { deps } = c.var;
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const by = administratorAt(operator.value, await currentDeployment(deps), deps.clock());
  if (!by.ok) return problem(c, by.error);
  const leaver = parseLeaver({ kind: c.req.query('kind'), name: c.req.query('name') });
  const held = leaver.ok ? await holdingOf(deps, leaver.value) : leaver;
  if (!held.ok) return problem(c, held.error);
  const since = sinceOf(c);
  if (!since.ok) return problem(c, since.error);
  const wait = waitOf(c, seconds(0), ['limit', 'cursor', ...HELD_QUERY]);
  if (!wait.ok) return problem(c, wait.error);
  const page = pageOf(c, `offboard:${JSON.stringify([held.value, since.value])}`, ['wait', ...HELD_QUERY]);
  if (!page.ok) return problem(c, page.error);
  const alive = await waitForDeaths(deps, held.value, wait.value);
  const found = await deps.store.ending({ ...held.value, ...page.value, since: since.value });
  return answer(c, { ...pageWire(c, page.value, found, proofWire), alive });
});

offboarding.post('/agents/:name/accept', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const accepted = await acceptAgent(c.var.deps, operator.value, c.req.param('name'), body.value);
  return accepted.ok ? answer(c, { receipt: receiptWire(accepted.value) }) : problem(c, accepted.error);
});

function sinceOf(c: Context<Scope>): Result<Instant> {
  const since = parseInstant(c.req.query('since') ?? '');
  if (since !== null) return ok(since);
  return err(failure('invalid_field', 'since is the RFC 3339 time that the offboarding answered', { path: 'since' }));
}

/** What an administrator is shown of a lease: that it ended, and how that is known. */
const proofWire = (lease: Lease) => ({
  id: lease.id,
  tenant: lease.tenant,
  agent: lease.agent,
  provider: lease.provider,
  state: lease.state,
  cause: lease.cause,
  death: deathShown(lease.death),
  exposure_ms: lease.exposure,
});
