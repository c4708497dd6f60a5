/**
 * The kill switch in the hands of oversight: what it would reach, raising it, and lifting it. It reaches, and shows, only
 * tenants where its author oversees; whoever answers for what it names does not lift it; and it revives nothing.
 */
import { z } from 'zod';
import { BLOCK_SCOPES } from '../core/block.ts';
import type { Block, BlockOf } from '../core/block.ts';
import { makeEntry } from '../core/entry.ts';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { BlockId, TenantName } from '../core/ids.ts';
import { name as nameField, parseWith, when, words } from '../core/parse.ts';
import type { TargetVersion } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { LiftStatement } from '../core/statement.ts';
import type { KeptBlock, Reach } from '../core/store/blocks.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Administrator } from '../administer/administrator.ts';
import { claimBy, doneBefore, perform } from '../administer/commit.ts';
import type { Sent } from '../administer/author.ts';
import type { Act } from '../administer/commit.ts';
import { READS_ONLY } from '../authenticate/act.ts';
import type { Signed } from '../authenticate/passkey.ts';
import { oneUseOf } from '../authenticate/ticket.ts';
import type { Ticket } from '../authenticate/ticket.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { conflictWithBlock } from '../decide/segregation.ts';
import { wholeTargets } from '../revoke/end-all.ts';
import { reachOf } from '../revoke/enforce.ts';
import type { Deps } from '../deps.ts';
import { namedIn } from './named.ts';
import { nowhere, outside, OVERSIGHT_NEEDED, reaching, standingNow } from './overseen.ts';
import type { Reaching } from './overseen.ts';
import { placesToEnd } from './places.ts';

const MOST_TENANTS = 1_000;
/** A rehearsal ends by itself. */
const DRILL_LASTS = seconds(300);

const previewBody = z.strictObject({
  scope: z.enum(BLOCK_SCOPES),
  name: words(200).optional(),
  /** At these alone of the tenants that the author oversees. */
  tenants: z.array(nameField()).min(1).max(MOST_TENANTS).optional(),
  /** Whatever the targets wholly inside gave before ends too, whoever made it: the roles at AWS are denied. */
  deny_role: z.boolean().default(false),
});
const raiseBody = z.strictObject({
  ...previewBody.shape,
  reason: words(1000),
  until: when().optional(),
  drill: z.boolean().default(false),
});
type Asked = z.infer<typeof previewBody>;

interface Aim {
  readonly by: Administrator;
  readonly of: BlockOf;
  readonly tenants: readonly [TenantName, ...TenantName[]];
}

export interface Preview {
  readonly of: BlockOf;
  readonly tenants: readonly TenantName[];
  readonly agents: Reach['agents'];
  readonly unended: Awaited<ReturnType<Deps['store']['unendedWithin']>>;
  /** Whose roles would be denied, where that is asked. */
  readonly roles: readonly Pick<TargetVersion, 'tenant' | 'name'>[];
}

export async function previewBlock(deps: Deps, operator: OperatorPrincipal, body: unknown): Promise<Result<Preview>> {
  const asked = parseWith(previewBody, body);
  if (!asked.ok) return asked;
  const aim = await aimOf(deps, operator, asked.value, 'read');
  if (!aim.ok) return aim;
  const { of, tenants } = aim.value;
  const roles = await rolesDenied(deps, aim.value, asked.value);
  if (!roles.ok) return roles;
  const reach = await reachOf(deps, of, tenants);
  const here = new Set(await deps.store.enrolledAt(tenants));
  const agents = reach.agents.filter((agent) => here.has(agent));
  return ok({ of, tenants, agents, unended: await deps.store.unendedWithin(reach), roles: roles.value });
}

export interface Raised {
  readonly id: BlockId;
  readonly at: Instant;
  readonly of: BlockOf;
  readonly tenants: readonly TenantName[];
  readonly until: Instant | null;
  readonly receipts: readonly Receipt[];
}

/**
 * One commit, after which nothing inside is issued anywhere. It waits for no epoch: an author whose oversight ended in
 * this very moment may still stop things, and nobody is kept from stopping them because something else changed.
 */
export async function raiseBlock(
  deps: Deps,
  operator: OperatorPrincipal,
  { body, claim }: Sent,
): Promise<Result<Raised>> {
  const asked = parseWith(raiseBody, body);
  if (!asked.ok) return asked;
  const { reason, drill } = asked.value;
  const aim = await aimOf(deps, operator, asked.value, 'block.raise');
  if (!aim.ok) return aim;
  const { by, of, tenants } = aim.value;
  const unfit = drill ? await whyNoDrill(deps, tenants) : null;
  if (unfit !== null) return err(failure('invalid_field', unfit, { path: 'drill' }));
  const roles = await rolesDenied(deps, aim.value, asked.value);
  if (!roles.ok) return roles;
  const isWhole = asked.value.deny_role;
  const at = deps.clock();
  const until = endOf(at, asked.value.until ?? null, drill);
  if (!until.ok) return until;
  const id = newId('blk', at, deps.random);
  const { agents } = await reachOf(deps, of, tenants);
  const blocks = tenants.map((tenant): Block => ({
    id,
    tenant,
    ...of,
    agents,
    author: by.person,
    from: at,
    until: until.value,
  }));
  const ends = until.value === null ? null : toRfc3339(until.value);
  const facts = { block: id, scope: of.scope, until: ends, drill, ...(isWhole ? { deny_role: true } : {}) };
  const draft = { kind: 'block.raised', at, actor: by.actor, accountable: by.person, inSetup: by.inSetup } as const;
  const said = { name: of.name, reason };
  const entries = tenants.map((tenant) => makeEntry({ ...draft, tenant, facts, said }, deps.random));
  const all = isWhole ? { all: { before: at, is: 'to do' } as const } : {};
  const what = { task: 'enforce', tenant: null, block: id, of, agents, tenants, ...all } as const;
  const work = [{ id: newId('wrk', at, deps.random), due: at, what }];
  const change = { kind: 'block.raise', blocks, reason, drill, deniesRoles: isWhole } as const;
  const made = { id, at, of, tenants, until: until.value };
  // Its tenants may be all that the author oversees, which can be others the next time: a key is theirs at all of them.
  const idempotency = claimBy(by, claim, { place: null, made });
  const command = { kind: 'register', change, work, deploymentEpoch: null, idempotency } as const;
  const done = await deps.store.commit(command, entries);
  for (const tenant of tenants) deps.store.forget(tenant);
  if (done.ok) return ok({ ...made, receipts: done.value.receipts });
  const before = doneBefore(done.error);
  return before.ok ? ok({ ...(before.value.made as typeof made), receipts: before.value.receipts }) : before;
}

async function rolesDenied(
  deps: Deps,
  { of, tenants }: Aim,
  { deny_role: asked }: Asked,
): Promise<Result<Preview['roles']>> {
  if (!asked) return ok([]);
  const whole = await wholeTargets(deps, of, tenants);
  return whole.length === 0 ? err(NO_ROLE) : ok(whole.map(({ version }) => version));
}

const NO_ROLE = failure('invalid_field', 'no target wholly inside it has a role that can be denied', {
  path: 'deny_role',
  hint: 'Block a target at AWS, the provider aws, a tenant or everything.',
});

function endOf(at: Instant, asked: Instant | null, drill: boolean): Result<Instant | null> {
  if (asked !== null && asked <= at) {
    return err(failure('invalid_field', 'it would have ended already', { path: 'until' }));
  }
  const longest = after(at, DRILL_LASTS);
  return ok(drill ? (asked === null || asked > longest ? longest : asked) : asked);
}

/**
 * A rehearsal kills for real, so it is for tenants at which nothing is: now, and not as this node keeps them, since a
 * target may have become real on another.
 */
async function whyNoDrill({ store }: Deps, tenants: readonly TenantName[]): Promise<string | null> {
  const targets = await store.targetsAt(tenants);
  const real = targets.find(({ environment }) => !SANDBOXES.includes(environment));
  return real === undefined ? null : `${real.tenant} is no sandbox: its target ${real.name} is ${real.environment}`;
}

const SANDBOXES: readonly string[] = ['sandbox', 'test'];

/** Who raises it, what exactly it names, and where. */
async function aimOf(
  deps: Deps,
  operator: OperatorPrincipal,
  asked: Asked,
  act: 'read' | 'block.raise',
): Promise<Result<Aim>> {
  const tenants = tenantsOf(asked, await reaching(deps, operator, act));
  if (!tenants.ok) return tenants;
  const [first] = tenants.value;
  const standing = await standingNow(deps, operator, first, act);
  if (!standing.ok) return standing;
  const { by, at: snapshot } = standing.value;
  const of = { scope: asked.scope, name: asked.name ?? '' };
  const unknown = await namedIn(deps, snapshot, of, tenants.value);
  return unknown === null ? ok({ by, of, tenants: tenants.value }) : err(unknown);
}

function tenantsOf({ scope, name, tenants }: Asked, reach: Reaching): Result<Aim['tenants']> {
  const wanted = tenants ?? (scope === 'tenant' && name !== undefined ? [name] : reach.tenants);
  const foreign = outside(wanted, reach);
  if (foreign !== null) return err(foreign);
  const [first, ...others] = [...new Set(wanted)] as TenantName[];
  if (first === undefined) return err(reach.seen.length === 0 ? OVERSIGHT_NEEDED : READS_ONLY);
  // A target's name, like a lease's id, says something at one tenant alone.
  if (others.length > 0 && (scope === 'lease' || scope === 'target')) {
    return err(failure('invalid_field', `a ${scope} is at one tenant: say which`, { path: 'tenants' }));
  }
  return ok([first, ...others]);
}

const liftBody = z.strictObject({
  reason: words(1000),
  tenants: z.array(nameField()).min(1).max(MOST_TENANTS).optional(),
});

export interface Lifted {
  readonly tenants: readonly TenantName[];
  /** Who lifted it at each of these, and when. */
  readonly places: KeptBlock['places'];
  /** Where it still stands, as far as its lifter may know. */
  readonly left: readonly TenantName[];
  /** None for where the same person lifted it before. */
  readonly receipts: readonly Receipt[];
}

/** The lifter's word under their own key, and the ticket that it was given for. */
export interface LiftWord {
  readonly ticket: Ticket;
  readonly signed: Signed<LiftStatement>;
}

interface Lifting {
  readonly id: BlockId;
  readonly body: unknown;
  /** From the console; none with a token of the issuer. */
  readonly word?: LiftWord;
}

/**
 * Tenant by tenant, each under the epochs that the lifter's standing there was read with. A signature stands in the
 * entry of each, and is spent with the first. Where the lifter has lifted it before, it is not lifted again: they are
 * told so, since the answer may have been lost.
 */
export async function liftBlock(
  deps: Deps,
  operator: OperatorPrincipal,
  { id, body, word }: Lifting,
): Promise<Result<Lifted>> {
  const found = await seenBlock(deps, operator, id);
  if (!found.ok) return found;
  const said = parseWith(liftBody, body);
  if (!said.ok) return said;
  const mine = found.value.places.filter(({ liftedBy }) => liftedBy === operator.person);
  const places = placesToEnd(
    { standing: standingPlaces(found.value, deps.clock()), ended: mine.map(({ tenant }) => tenant) },
    said.value.tenants,
  );
  if (!places.ok) return places;
  const { standing, ended } = places.value;
  // All are looked at before the first is lifted, so that a refusal has lifted nothing.
  for (const tenant of [...standing, ...ended]) {
    const by = await lifterAt(deps, operator, found.value, tenant);
    if (!by.ok) return by;
  }
  const receipts: Receipt[] = [];
  for (const tenant of standing) {
    const given = receipts.length === 0 ? spent(word) : kept(word);
    const receipt = await liftAt(deps, operator, found.value, { tenant, reason: said.value.reason, given });
    if (receipt.ok) receipts.push(receipt.value);
    // The same may have been sent twice at once.
    else if (!(await isLiftedBy(deps, operator, id, tenant))) return receipt;
  }
  return ok({ ...(await liftedAt(deps, found.value, [...standing, ...ended])), receipts });
}

async function isLiftedBy(
  { store }: Deps,
  { person }: OperatorPrincipal,
  id: BlockId,
  tenant: TenantName,
): Promise<boolean> {
  const block = await store.block(id, [tenant]);
  return block?.places.some(({ liftedBy }) => liftedBy === person) === true;
}

/** As it is kept from now on. */
async function liftedAt(
  { store, clock }: Deps,
  { id, places }: KeptBlock,
  tenants: readonly TenantName[],
): Promise<Omit<Lifted, 'receipts'>> {
  const within = places.map(({ tenant }) => tenant);
  const block = await store.block(id, within);
  if (block === null) throw new Error(`the block ${id} has gone from the store`);
  return {
    tenants,
    places: block.places.filter(({ tenant }) => tenants.includes(tenant)),
    left: standingPlaces(block, clock()),
  };
}

async function lifterAt(
  deps: Deps,
  operator: OperatorPrincipal,
  block: KeptBlock,
  tenant: TenantName,
): Promise<Result<Administrator>> {
  // Another node may have raised it: what is kept here would be found stale.
  deps.store.forget(tenant);
  const at = await deps.store.snapshot(tenant);
  if (at === null) return err(nowhere(tenant, []));
  const now = deps.clock();
  const by = standingAt(operator, at, now, ['block.lift']);
  if (!by.ok) return by;
  const held = await conflictOf(deps, at, block, { person: by.value.person, now });
  if (held !== null) {
    const hint = 'Somebody else, who answers for nothing that it holds back, lifts it.';
    return err(failure('in_conflict', `you answer for ${held}, which it holds back`, { hint }));
  }
  return by;
}

async function liftAt(
  deps: Deps,
  operator: OperatorPrincipal,
  block: KeptBlock,
  { tenant, reason, given }: { readonly tenant: TenantName; readonly reason: string; readonly given: Given },
): Promise<Result<Receipt>> {
  const by = await lifterAt(deps, operator, block, tenant);
  if (!by.ok) return by;
  return perform(deps, {
    by: by.value,
    change: { kind: 'block.lift', block: block.id, tenants: [tenant], by: by.value.person },
    ledger: tenant,
    facts: { block: block.id, scope: block.scope },
    said: { name: block.name, reason },
    ends: null,
    ...given,
  });
}

type Given = Pick<Act, 'seen' | 'spends' | 'counts'>;

/** Whole, so that anyone with the public key can verify it years later. */
const kept = (word: LiftWord | undefined): Given =>
  word === undefined
    ? {}
    : { seen: { statement: { ...word.signed.statement }, assertion: { ...word.signed.assertion } } };

const spent = (word: LiftWord | undefined): Given =>
  word === undefined
    ? {}
    : {
        ...kept(word),
        spends: [oneUseOf(word.ticket)],
        counts: { passkey: word.signed.passkey.id, signCount: word.signed.signCount },
      };

/** Of a lease, the agent that held it. */
async function conflictOf(
  deps: Deps,
  at: Snapshot,
  block: KeptBlock,
  who: { readonly person: Administrator['person']; readonly now: Instant },
): Promise<string | null> {
  if (block.scope !== 'lease') return conflictWithBlock(at, block, who);
  const lease = await deps.store.lease(at.tenant.name, block.name as never);
  return conflictWithBlock(at, { scope: 'agent', name: lease?.agent ?? '', agents: [] }, who);
}

export const standingPlaces = ({ places, until }: KeptBlock, now: Instant): readonly TenantName[] =>
  until !== null && until <= now ? [] : places.filter(({ liftedAt }) => liftedAt === null).map(({ tenant }) => tenant);

/** As much of it as its reader oversees. */
export async function seenBlock(deps: Deps, operator: OperatorPrincipal, id: BlockId): Promise<Result<KeptBlock>> {
  const within = await deps.store.overseenBy(operator.person);
  const found = within.length === 0 ? null : await deps.store.block(id, within);
  return found === null ? err(NOTHING_HERE) : ok(found);
}
