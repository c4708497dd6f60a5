/** The shipped bundle's example clients and agents, as tables of decisions read them; any part can be changed. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import * as assert from 'uvu/assert';
import type { PersonName, TargetName } from '../../src/core/ids.ts';
import type { RuleEngine } from '../../src/core/policy.ts';
import type { Declaration } from '../../src/core/provider.ts';
import { PROVIDER_KINDS } from '../../src/core/registers.ts';
import type { BundleFiles } from '../../src/core/registers.ts';
import { instant, seconds } from '../../src/core/time.ts';
import type { Asking } from '../../src/decide/admit.ts';
import { bundleVersion, loadBundle } from '../../src/decide/bundle.ts';
import type { Bundle } from '../../src/decide/bundle.ts';
import { createCedar } from '../../src/decide/cedar.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Policy } from '../../src/decide/decide.ts';
import type { Ask, Decision, Denial, Permit } from '../../src/decide/decision.ts';
import { exampleOf } from '../../src/decide/examples.ts';
import { parseAccessRequest } from '../../src/decide/request.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { policyFiles } from '../policy/folder.ts';

export const NOW = instant(Date.UTC(2026, 10, 2, 9));

export const engine: RuleEngine = createCedar(cedar);

/** Once for all tables that are about the same version. */
const byVersion = new Map<string, Bundle>();

export function load(files: BundleFiles): Bundle {
  const version = bundleVersion(files);
  const known = byVersion.get(version);
  if (known !== undefined) return known;
  const loaded = loadBundle(files, engine);
  if (!loaded.ok) throw new Error(loaded.error.map(({ file, line, what }) => `${file}:${line}: ${what}`).join('\n'));
  byVersion.set(version, loaded.value);
  return loaded.value;
}

/** Every problem of a bundle, with its place. */
export function problemsOf(files: BundleFiles): string[] {
  const loaded = loadBundle(files, engine);
  return loaded.ok ? [] : loaded.error.map(({ file, line, what }) => `${file}:${line}: ${what}`);
}

/** One for all, as in a node: what is asked of a version again is not evaluated again. */
const rulebook = createRulebook(engine);

export const shipped = load(policyFiles);

/** The shipped files with some replaced or, by `null`, left out. */
export function shippedBut(changes: Readonly<Record<string, string | null>>): BundleFiles {
  const files = Object.entries({ ...policyFiles, ...changes });
  return Object.fromEntries(files.filter((file): file is [string, string] => file[1] !== null));
}

export const DECLARED: Declaration = {
  revokes: 'commit',
  evidence: 'introspection refuses it',
  expiryEndsUse: true,
  countsUses: true,
  seesUse: false,
  keepsSecret: false,
  enforces: [],
  shortest: seconds(10),
  longest: seconds(3600),
};

export const policyOf = (bundle: Bundle = shipped, declared: Partial<Declaration> = {}, channels = true): Policy => ({
  bundle,
  rulebook,
  providers: new Map(PROVIDER_KINDS.map((kind) => [kind, { declare: () => ({ ...DECLARED, ...declared }) }])),
  channels,
});

/** Parameters that fit, for the task classes that tables use without saying any. */
const USUAL: Readonly<Record<string, object>> = {
  'ticket.route': { resource: 'service-desk/TCK-42', parameters: { ticket: 'TCK-42', queue: 'network' } },
  'ticket.categorize': { resource: 'service-desk/TCK-42', parameters: { category: 'access' } },
  'kb.publish': { resource: 'service-desk/kb-7', parameters: { article: 'kb-7' } },
  'report.query': { resource: 'sales', parameters: { report: 'daily-sales' } },
  'service.restart': { resource: 'servers/print-1', parameters: { service: 'spooler' }, rollback: 'service.restore' },
  'patch.routine': { resource: 'endpoints', parameters: { package: 'openssl-3.5', endpoints: 12 } },
  'firewall.change': {
    resource: 'firewall/edge-1',
    parameters: { rule: 'allow-vpn', action: 'open', port: 443 },
    change: 'CHG-10',
    rollback: 'close it again',
  },
};

export type Change = (asking: Asking) => Asking;

const examples = {
  tenants: new Map(shipped.cases.flatMap(({ holds }) => Object.entries(holds.tenants ?? {}))),
  agents: new Map(shipped.cases.flatMap(({ holds }) => Object.entries(holds.agents ?? {}))),
};

export function asking(agent: string, task: string, tenant: string, more: object = {}, change?: Change): Asking {
  const client = examples.tenants.get(tenant);
  const example = examples.agents.get(agent);
  if (client === undefined || example === undefined) throw new Error(`no example of ${agent} at ${tenant}`);
  const request = parseAccessRequest({ task, reason: 'a test', resource: 'servers', ...USUAL[task], ...more });
  if (!request.ok) throw new Error(request.error.detail);
  const { snapshot, principal } = exampleOf(shipped, tenant, client, agent, example, { now: NOW });
  const plain: Asking = { snapshot, principal, request: request.value, now: NOW, manyTenants: false };
  return change === undefined ? plain : change(plain);
}

export function permits(asked: Asking, policy = policyOf()): Permit {
  const decision = decide(policy, asked);
  if (decision.effect !== 'permit') throw new Error(`not permitted: ${told(decision)}`);
  return decision;
}

export function asks(asked: Asking, policy = policyOf()): Ask {
  const decision = decide(policy, asked);
  if (decision.effect !== 'ask') throw new Error(`does not ask: ${told(decision)}`);
  return decision;
}

export function forbids(asked: Asking, code: string, policy = policyOf()): Denial {
  const decision = decide(policy, asked);
  if (decision.effect !== 'forbid') throw new Error(`not forbidden: ${told(decision)}`);
  assert.is(decision.reason.code, code, decision.reason.because);
  return decision.reason;
}

const told = (decision: Decision): string =>
  decision.effect === 'forbid'
    ? JSON.stringify(decision.reason)
    : `${decision.effect} ${decision.approval.rules.join()}`;

export const OWNER = 'owner' as PersonName;
export const OVERSEER = 'overseer' as PersonName;
export const target = (name: string): TargetName => name as TargetName;
