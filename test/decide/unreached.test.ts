/** Routes that bring an ask to nobody, at which clients and for which task classes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Assignment } from '../../src/core/registers.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { unreachedRoutes } from '../../src/decide/unreached.ts';
import { NOW, asking, shipped } from './world.ts';

const { snapshot } = asking('net-bot', 'firewall.change', 'acme');

/** Where agents hold these roles, and people of these names hold the roles that they are said with. */
function where(agents: readonly string[], people: Readonly<Record<string, string>>, tenant = 'acme'): Snapshot {
  const one = (kind: 'agent' | 'person', name: string, role: string, of: Assignment['function']) =>
    ({
      id: `${name}-${role}`,
      tenant,
      holder: { kind, name },
      role,
      function: of,
      until: null,
      reviewer: null,
    }) as never;
  const persons = new Map(
    Object.keys(people).map((name) => [name, { name, displayName: name, email: null, active: true }]),
  );
  return {
    ...snapshot,
    tenant: { ...snapshot.tenant, name: tenant as never },
    deployment: { ...snapshot.deployment, persons: persons as never },
    assignments: [
      ...agents.map((role) => one('agent', 'a-bot', role, 'execution')),
      ...Object.entries(people).map(([name, role]) => one('person', name, role, 'approval')),
    ],
  };
}

const found = (...snapshots: readonly Snapshot[]): readonly string[] =>
  unreachedRoutes(shipped, snapshots, NOW).map(
    ({ route, tenants, tasks }) => `${route} at ${tenants.join()}: ${tasks?.join() ?? 'all'}`,
  );

const TABLE: readonly (readonly [what: string, at: readonly Snapshot[], found: readonly string[]])[] = [
  ['an approver of the highest level reaches all', [where(['network', 'identity'], { paula: 'approver' })], []],
  [
    'one below a level is not enough where that is needed',
    [where(['network', 'identity', 'triage'], { zoe: 'approver' })],
    ['several-tenants at acme: all', 'security at acme: all', 'client-infrastructure at acme: all'],
  ],
  [
    'some of what agents may ask is not all of it',
    [where(['operations'], { sergio: 'approver', nadia: 'operations-leadership' })],
    ['several-tenants at acme: all'],
  ],
  [
    'a task class above everybody is named by itself',
    [where(['backup'], { sergio: 'approver' })],
    ['several-tenants at acme: all', 'client-infrastructure at acme: backup.declare-infected'],
  ],
  [
    'clients that are alike are told together',
    [where(['triage'], {}), where(['triage'], {}, 'birch'), where(['triage'], { paula: 'approver' }, 'cedar')],
    ['several-tenants at acme,birch: all', 'everything-else at acme,birch: all'],
  ],
  ['nobody need answer where no agent asks', [where([], {})], []],
];

const unreached = suite('decide/unreached');

for (const [what, at, expected] of TABLE) {
  unreached(what, () => assert.equal(found(...at), expected));
}

unreached.run();
