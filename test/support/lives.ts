/** Changes in the life of a request, with their entries, at the small world of `testStore`. */
import type { ApprovalTerms } from '../../src/core/approval.ts';
import type { Conditions, LifeChange, NewWork, RequestRow, Within } from '../../src/core/change.ts';
import type { Idempotency } from '../../src/core/change/once.ts';
import { makeEntry } from '../../src/core/entry.ts';
import type { Entry, EntryKind } from '../../src/core/entry.ts';
import { newId } from '../../src/core/ids.ts';
import type { AgentName, ApprovalId, LeaseId, RoleName, TaskName, TenantName } from '../../src/core/ids.ts';
import { markOf } from '../../src/core/lease.ts';
import type { Death, LeaseTerms } from '../../src/core/lease.ts';
import type { ProviderKind } from '../../src/core/registers.ts';
import type { SealedSecret } from '../../src/core/seal.ts';
import type { Epochs } from '../../src/core/snapshot.ts';
import type { Store } from '../../src/core/store.ts';
import { instant, milliseconds, seconds } from '../../src/core/time.ts';
import { ACME, OWEN, PAULA, random, TICKETS, TRIAGE } from './store.ts';

export interface Life<Change extends LifeChange = LifeChange> {
  readonly change: Change;
  readonly entries: readonly Entry[];
}
export type Opening = Life<Extract<LifeChange, { readonly kind: 'lease.open' }>>;

const now = () => instant(Date.now());

export interface OpenOptions {
  readonly epochs: Epochs;
  readonly tenant?: TenantName;
  readonly state?: 'opening' | 'active';
  readonly jti?: string | null;
  readonly idempotency?: Idempotency | null;
  readonly ttl?: number;
  readonly secret?: string;
  readonly work?: readonly NewWork[];
  readonly within?: Within;
  readonly agent?: AgentName;
  readonly provider?: ProviderKind;
  readonly lease?: Partial<LeaseTerms>;
  readonly redeems?: { readonly approval: ApprovalId; readonly version: number };
}

export async function epochsOf(store: Store, tenant: TenantName = ACME): Promise<Epochs> {
  const epochs = await store.epochs(tenant);
  if (epochs === null) throw new Error(`no tenant ${tenant}`);
  return epochs;
}

export function opening({ tenant = ACME, state = 'active', agent = TRIAGE, ...options }: OpenOptions): Opening {
  const at = now();
  const request = { ...requestAt(at), agent };
  const lease: LeaseTerms = {
    id: newId('lse', at, random),
    tenant,
    request: request.id,
    approval: null,
    agent,
    owner: OWEN,
    role: 'triage' as RoleName,
    task: request.task,
    provider: options.provider ?? 'jwt',
    target: TICKETS,
    targetVersion: 1,
    resource: request.resource,
    mark: markOf(newId('lse', at, random)),
    openedAt: at,
    mintDeadline: instant(at + 10_000),
    expiresAt: instant(at + (options.ttl ?? 300_000)),
    policy: request.policy,
    tier: 1,
    dataClasses: [],
    uses: null,
    idle: null,
    declared: null,
    ...options.lease,
    specification: { sub: TRIAGE },
  };
  const secret = (options.secret ?? null) as Opening['change']['secret'];
  return {
    change: {
      kind: 'lease.open',
      tenant,
      when: whenOf(options),
      request,
      redeems: options.redeems ?? null,
      lease,
      state,
      secret,
      work: options.work ?? [],
    },
    entries: [
      entryOf('request.permitted', tenant, lease.id),
      entryOf(state === 'active' ? 'lease.active' : 'lease.opening', tenant, lease.id),
    ],
  };
}

export function whenOf({ epochs, jti = null, idempotency = null, within }: Omit<OpenOptions, 'tenant'>): Conditions {
  const oneUse = jti === null ? null : { client: TRIAGE, jti, until: instant(Date.now() + 60_000) };
  return { epochs, oneUse, idempotency, ...(within === undefined ? {} : { within }) };
}

export const requestAt = (at = now()): RequestRow => ({
  id: newId('req', at, random),
  agent: TRIAGE,
  task: 'ticket.route' as TaskName,
  resource: 'tickets/1',
  hash: 'aa',
  effect: 'permit',
  decision: { effect: 'permit' },
  asked: { reason: 'because' },
  at,
  policy: 'policy-1',
});

export const entryOf = (kind: EntryKind, tenant: TenantName = ACME, lease?: LeaseId): Entry =>
  makeEntry(
    {
      tenant,
      kind,
      at: now(),
      actor: { kind: 'broker', name: 'test' },
      accountable: OWEN,
      ...(lease === undefined ? {} : { lease }),
      inSetup: false,
      facts: {},
      said: { reason: 'because' },
    },
    random,
  );

/** An approval that one person is asked for. */
export function approvalOf(request: RequestRow, more: Partial<ApprovalTerms> = {}): ApprovalTerms {
  const { id, agent, task, at, resource, policy } = request;
  const tenant = more.tenant ?? ACME;
  return {
    id: newId('apr', at, random),
    tenant,
    request: id,
    agent,
    task,
    tier: 3,
    askedAt: at,
    expiresAt: instant(at + 60_000),
    redeemWithin: seconds(60),
    asked: { task, resource, reason: 'because' },
    binding: {
      tenant,
      request: id,
      agent,
      proof: 'aa',
      request_hash: request.hash,
      task,
      role: 'triage',
      resource,
      parameters: {},
      ttl: 300,
      uses: 1,
      provider: 'jwt',
      target: TICKETS,
      target_version: 1,
      death: {},
      not_enforced: [],
      mint: 'aa',
    },
    policy,
    rules: ['tier-three-asks'],
    route: [
      {
        name: 'approvers',
        within: seconds(60),
        quorum: { of: 'any', count: 1 },
        asks: [PAULA],
        backups: [],
        skipped: [],
      },
    ],
    involved: [OWEN],
    plan: null,
    narrows: null,
    ...more,
  };
}

export const deathOf = (): Death => ({ how: 'verified', at: now(), evidence: { looked: 2 }, node: 'test' });

const LOOKED_WITH = 'aa.bb.dd' as SealedSecret;

type MoveKind = 'activate' | 'fail' | 'revoke' | 'die' | 'land' | 'bury' | 'report';

/** A move of a lease: `die` is a revocation whose death comes with it. */
export function move(
  kind: MoveKind,
  lease: LeaseId,
  epochs: Epochs,
  { tenant = ACME, reopens = null }: { readonly tenant?: TenantName; readonly reopens?: ApprovalId | null } = {},
): Life {
  const at = now();
  const outcome = { outcome: 'succeeded', summary: null, evidence: [] } as const;
  const of = { tenant, lease };
  const none = { reference: null, secret: null, work: [] } as const;
  const revoke = { kind: 'lease.revoke', ...of, ...none, at, cause: 'completed', outcome } as const;
  const changes: Readonly<Record<MoveKind, LifeChange>> = {
    activate: { kind: 'lease.activate', ...of, ...none, epochs, at, lookAt: null, over: newId('wrk', at, random) },
    fail: { kind: 'lease.fail', ...of, reopens, at, fence: null, work: [] },
    revoke: { ...revoke, outcome: null, death: null, exposure: null },
    die: { ...revoke, death: deathOf(), exposure: milliseconds(0) },
    land: { kind: 'lease.land', ...of, reference: { found_by: 'this' }, secret: LOOKED_WITH, work: [] },
    bury: { kind: 'lease.bury', ...of, death: deathOf(), exposure: milliseconds(5), fence: null, over: null, work: [] },
    report: { kind: 'lease.report', ...of, outcome },
  };
  return { change: changes[kind], entries: [entryOf('lease.revoking', tenant, lease)] };
}

export const send = (store: Store, { change, entries }: Life) => store.commit(change, entries);
