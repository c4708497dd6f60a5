/** Lists, a page at a time. */
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { EFFECTS } from '../core/change.ts';
import type { Effect, LeaseFilter } from '../core/change.ts';
import { parseName } from '../core/ids.ts';
import type { AgentName, TenantName } from '../core/ids.ts';
import { LEASE_STATES } from '../core/lease.ts';
import type { LeaseState } from '../core/lease.ts';
import type { Page } from '../core/store/page.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';

const DEFAULT_LIMIT = 50;
const LARGEST_LIMIT = 200;

interface ListPage extends Page {
  readonly list: string;
}

/**
 * @param list what is listed and for whom, which a cursor is bound to.
 * @param narrowedBy what else its query may hold.
 */
export function pageOf(c: Context<Scope>, list: string, narrowedBy: readonly string[] = []): Result<ListPage> {
  const known = onlyQuery(c, ['limit', 'cursor', ...narrowedBy]);
  if (!known.ok) return known;
  const asked = c.req.query('limit');
  const limit = asked === undefined ? DEFAULT_LIMIT : /^\d{1,3}$/.test(asked) ? Number(asked) : 0;
  if (limit < 1 || limit > LARGEST_LIMIT) {
    return err(failure('invalid_field', `limit is 1 to ${LARGEST_LIMIT}`, { path: 'limit' }));
  }
  const before = readCursor(c.var.deps, list, c.req.query('cursor'));
  return before.ok ? ok({ limit, before: before.value, list }) : before;
}

export const LEASE_FILTER = ['tenant', 'agent', 'state'] as const;

/** What a list is narrowed to by its query: see {@link LEASE_FILTER}. */
export function leaseFilterOf(
  c: Context<Scope>,
): Result<LeaseFilter & { readonly states: readonly LeaseState[] | null }> {
  const whose = whoseOf(c);
  if (!whose.ok) return whose;
  const state = oneOf(c, 'state', LEASE_STATES);
  if (!state.ok) return state;
  return ok({ ...whose.value, owner: null, target: null, role: null, states: state.value && [state.value] });
}

export const REQUEST_FILTER = ['tenant', 'agent', 'effect'] as const;

/** What a list is narrowed to by its query: see {@link REQUEST_FILTER}. */
export function requestFilterOf(c: Context<Scope>): Result<Whose & { readonly effect: Effect | null }> {
  const whose = whoseOf(c);
  if (!whose.ok) return whose;
  const effect = oneOf(c, 'effect', EFFECTS);
  return effect.ok ? ok({ ...whose.value, effect: effect.value }) : effect;
}

interface Whose {
  readonly tenant: TenantName | null;
  readonly agent: AgentName | null;
}

function whoseOf(c: Context<Scope>): Result<Whose> {
  const tenant = named<TenantName>(c, 'tenant');
  if (!tenant.ok) return tenant;
  const agent = named<AgentName>(c, 'agent');
  return agent.ok ? ok({ tenant: tenant.value, agent: agent.value }) : agent;
}

function oneOf<One extends string>(c: Context<Scope>, of: string, all: readonly One[]): Result<One | null> {
  const asked = c.req.query(of);
  const found = all.find((one) => one === asked) ?? null;
  if (asked === undefined || found !== null) return ok(found);
  return err(failure('invalid_field', `${of} is one of ${all.join(', ')}`, { path: of }));
}

function named<Name extends TenantName | AgentName>(c: Context<Scope>, of: 'tenant' | 'agent'): Result<Name | null> {
  const asked = c.req.query(of);
  if (asked === undefined) return ok(null);
  const name = parseName(of, asked);
  return name.ok ? ok(name.value as Name) : name;
}

/** One that narrows a list where it is true. */
export function flagOf(c: Context<Scope>, name: string): Result<boolean> {
  const asked = c.req.query(name) ?? 'false';
  if (asked === 'true' || asked === 'false') return ok(asked === 'true');
  return err(failure('invalid_field', `${name} is true or false`, { path: name }));
}

export function pageWire<Item extends { readonly id: string }>(
  c: Context<Scope>,
  { limit, list }: ListPage,
  found: readonly Item[],
  wire: (item: Item) => unknown,
) {
  const last = found.length === limit ? found.at(-1) : undefined;
  return { items: found.map(wire), cursor: last === undefined ? null : makeCursor(c.var.deps, list, last.id) };
}
