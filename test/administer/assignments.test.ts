import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_BUNDLE, parseAssignment } from '../../src/administer/assignments.ts';
import { newId } from '../../src/core/ids.ts';
import type { AgentName, PersonName, RoleName, TenantName } from '../../src/core/ids.ts';
import type { Giving } from '../../src/administer/assignments.ts';
import type { DeploymentSnapshot } from '../../src/core/snapshot.ts';
import type { Role } from '../../src/decide/bundle/model.ts';
import type { Assignment } from '../../src/core/registers.ts';
import { instant, toRfc3339 } from '../../src/core/time.ts';
import type { Deps } from '../../src/deps.ts';

const NOW = instant(Date.parse('2026-06-01T12:00:00Z'));
const HOUR = 3_600_000;
const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
const deps = { clock: () => NOW, random } as Partial<Deps> as Deps;
const roles = new Map(
  (['reporting', 'overseer'] as const).map((name) => {
    const of = { name, function: name === 'overseer' ? 'oversight' : 'execution', breakGlass: false };
    return [name as string as RoleName, of as Partial<Role> as Role];
  }),
);
/** Where so much is held. */
const giving = (assignments: readonly Assignment[]): Giving => ({
  bundle: { ...NO_BUNDLE, roles },
  place: { assignments } as Partial<DeploymentSnapshot> as DeploymentSnapshot,
  author: { person: 'ada' as PersonName, reason: null },
});

const held = (until: number | null, more: Partial<Assignment> = {}): Assignment => ({
  id: newId('asg', NOW, random),
  tenant: 'acme' as TenantName,
  holder: { kind: 'agent', name: 'report-bot' as AgentName },
  role: 'reporting' as RoleName,
  function: 'execution',
  until: until === null ? null : instant(NOW + until),
  reviewer: null,
  ...more,
});

const OTHER = { kind: 'agent', name: 'triage-bot' as AgentName } as const;

const assignments = suite('assignments');

const PUT_ANEW: readonly (readonly [
  before: string,
  held: readonly Assignment[],
  until: number | null,
  ends: boolean,
])[] = [
  ['nothing', [], HOUR, false],
  ['a later end', [held(2 * HOUR)], HOUR, true],
  ['no end', [held(null)], HOUR, true],
  ['an earlier end', [held(HOUR)], 2 * HOUR, false],
  ['an end, and now none', [held(HOUR)], null, false],
  ['a later end of another agent', [held(2 * HOUR, { holder: OTHER })], HOUR, false],
  ['a later end of another role', [held(2 * HOUR, { role: 'network' as RoleName })], HOUR, false],
];

for (const [before, now, until, ends] of PUT_ANEW) {
  assignments(
    `a role given anew, where there was ${before}, ${ends ? 'ends' : 'leaves'} what rests on it`,
    async () => {
      const body = {
        tenant: 'acme',
        holder: { agent: 'report-bot' },
        role: 'reporting',
        until: until === null ? null : toRfc3339(instant(NOW + until)),
      };
      const parsed = await parseAssignment(deps, body, giving(now));
      assert.ok(parsed.ok);
      if (!parsed.ok) return;
      assert.is(parsed.value.ends !== null, ends);
      if (ends) assert.equal([parsed.value.ends?.agent, parsed.value.ends?.role], ['report-bot', 'reporting']);
    },
  );
}

const REFUSED: readonly (readonly [what: string, body: Record<string, unknown>, code: string])[] = [
  ['a role that the bundle has not', { tenant: 'acme', holder: { agent: 'a' }, role: 'no-such' }, 'not_found'],
  ['oversight above tenants', { tenant: null, holder: { person: 'otto' }, role: 'overseer' }, 'invalid_field'],
  ['oversight to an agent', { tenant: 'acme', holder: { agent: 'a' }, role: 'overseer' }, 'second_function'],
  [
    'an end that has passed',
    { tenant: 'acme', holder: { agent: 'a' }, role: 'reporting', until: '2026-06-01T11:59:59Z' },
    'invalid_field',
  ],
  ['two holders', { tenant: 'acme', holder: { agent: 'a', person: 'b' }, role: 'reporting' }, 'invalid_field'],
  ['a field of its own', { tenant: 'acme', holder: { agent: 'a' }, role: 'reporting', forever: true }, 'unknown_field'],
];

for (const [what, body, code] of REFUSED) {
  assignments(`refuses ${what}`, async () => {
    const parsed = await parseAssignment(deps, body, giving([]));
    assert.is(parsed.ok ? 'taken' : parsed.error.code, code);
  });
}

assignments('takes two for what is not execution, and ends by itself', async () => {
  const holder = { person: 'otto' as PersonName };
  const parsed = await parseAssignment(deps, { tenant: 'acme', holder, role: 'overseer' }, giving([]));
  assert.is(parsed.ok && parsed.value.takesTwo, 'to give oversight');
  assert.ok(parsed.ok && parsed.value.facts['until'] !== null);
});

assignments.run();
