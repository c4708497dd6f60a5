/** `/api/policy`: the bundle that decides, in its versions. What takes two is confirmed here or at `/api/changes`. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { parseWith, when, words } from '../core/parse.ts';
import type { Receipt } from '../core/entry.ts';
import type { Result } from '../core/result.ts';
import { toRfc3339 } from '../core/time.ts';
import { administratorAt } from '../administer/administrator.ts';
import { confirmChange, seenChange } from '../administer/changes.ts';
import type { Proposed } from '../administer/changes.ts';
import { findingsAt } from '../administer/findings.ts';
import { activatePolicy, proposePolicy, rollBackPolicy } from '../administer/policy.ts';
import { reportReach } from '../administer/reach.ts';
import { bundleVersion } from '../decide/bundle.ts';
import { creating } from './acting.ts';
import { BUNDLE_LIMIT } from './body.ts';
import { currentDeployment, operatorOf } from './caller.ts';
import { proposalWire } from './changes.ts';
import { policyReading } from './policy-reading.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const policy = new Hono<Scope>();
policy.route('/', policyReading);

const files = z.record(z.string().min(1).max(255), z.string());
const version = z.string().regex(/^[0-9a-f]{64}$/, 'it must be the version of a policy');
/** `until`: what it widens is taken back then, by itself. */
const proposal = z.strictObject({ files, reason: words(1000), until: when().optional() });
const rollback = z.strictObject({ version, reason: words(1000) });
/**
 * In set-up the files themselves; after it what was proposed, by the hash that was seen. `revoke`: what is live and would
 * not be given any more is ended.
 */
const activation = z.union([
  z.strictObject({ files }),
  z.strictObject({ change: z.string(), hash: version, revoke: z.boolean().default(false) }),
]);

policy.get('/versions', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, []);
  if (!known.ok) return problem(c, known.error);
  const deployment = await currentDeployment(c.var.deps);
  const by = administratorAt(operator.value, deployment, c.var.deps.clock());
  if (!by.ok) return problem(c, by.error);
  const kept = await c.var.deps.store.policies();
  const items = kept.map(({ version: name, addedAt }) => ({
    version: name,
    added_at: toRfc3339(addedAt),
    active: name === deployment.policy,
    active_before: deployment.policiesBefore.includes(name),
  }));
  return answer(c, { items, cursor: null });
});

policy.get('/sod', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, []);
  if (!known.ok) return problem(c, known.error);
  await currentDeployment(c.var.deps);
  const found = await reportReach(c.var.deps, operator.value);
  if (!found.ok) return problem(c, found.error);
  const { people, agents, tenants, conflicts } = found.value;
  const persons = people.map(({ deputyOf, ...person }) => ({ ...person, deputy_of: deputyOf }));
  return answer(c, { people: persons, agents, tenants, conflicts });
});

policy.post('/propose', async (c) => {
  const proposing = await creating(c, { limit: BUNDLE_LIMIT });
  if (!proposing.ok) return problem(c, proposing.error);
  const { operator, sent } = proposing.value;
  const form = parseWith(proposal, sent.body);
  if (!form.ok) return problem(c, form.error);
  const until = form.value.until ?? null;
  const done = await proposePolicy(c.var.deps, operator, { ...form.value, until, claim: sent.claim });
  if (!done.ok) return problem(c, done.error);
  const { version: named, cases, findings } = done.value;
  return proposed(c, done, { version: named, cases, findings }, 201);
});

const NO_POLICY = failure('invalid_field', 'this change is of no policy', {
  path: 'change',
  hint: 'Confirm it at POST /api/changes/{id}/confirm.',
});

policy.post('/activate', async (c) => {
  const activating = await creating(c, { limit: BUNDLE_LIMIT });
  if (!activating.ok) return problem(c, activating.error);
  const { operator, sent } = activating.value;
  const form = parseWith(activation, sent.body);
  if (!form.ok) return problem(c, form.error);
  if ('files' in form.value) {
    const given = { files: form.value.files, claim: sent.claim };
    return activated(c, await activatePolicy(c.var.deps, operator, given), bundleVersion(given.files));
  }
  const id = parseId('chg', form.value.change);
  if (!id.ok) return problem(c, id.error);
  const found = await seenChange(c.var.deps, operator, id.value);
  if (!found.ok) return problem(c, found.error);
  const { place, proposal: seen } = found.value;
  const { change: act } = seen.act;
  if (act.kind !== 'policy.activate') return problem(c, NO_POLICY);
  const { hash, revoke: reassesses } = form.value;
  const done = await confirmChange(c.var.deps, operator, seen, { place, hash, reassesses });
  return activated(c, done, act.version);
});

policy.post('/rollback', async (c) => {
  const goingBack = await creating(c);
  if (!goingBack.ok) return problem(c, goingBack.error);
  const { operator, sent } = goingBack.value;
  const form = parseWith(rollback, sent.body);
  if (!form.ok) return problem(c, form.error);
  return proposed(c, await rollBackPolicy(c.var.deps, operator, { ...form.value, claim: sent.claim }), {}, 200);
});

/** With what is found of it as things stand now. */
async function activated(c: Context<Scope>, done: Result<Receipt>, named: string): Promise<Response> {
  if (!done.ok) return problem(c, done.error);
  return answer(c, { receipt: receiptWire(done.value), findings: await findingsAt(c.var.deps, named) });
}

function proposed(
  c: Context<Scope>,
  done: Result<Proposed>,
  more: Readonly<Record<string, unknown>>,
  status: 200 | 201,
): Response {
  if (!done.ok) return problem(c, done.error);
  const { proposal: written, receipt: entry } = done.value;
  return answer(c, { ...more, change: proposalWire(written), receipt: receiptWire(entry) }, status);
}
