/** What fixes a workload, and what one token could satisfy: PITFALLS 8, 55. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bindingsOverlap, checkBinding, claimAt, satisfies } from '../../src/authenticate/binding.ts';
import type { IssuerName } from '../../src/core/ids.ts';
import type { TrustedIssuer, WorkloadBinding } from '../../src/core/registers.ts';
import { trusted } from './world.ts';

const UID = '0b2a5f3e-93b5-4a0e-9d13-2f8f5c6a7e11';
const FLOW = 'acme/infra/.github/workflows/patch.yml@refs/heads/main';

const binding = (claims: Record<string, string>, issuer = 'ci'): WorkloadBinding => ({
  issuer: issuer as IssuerName,
  claims,
});
const on = (platform: TrustedIssuer['platform']): TrustedIssuer => trusted('ci', 'https://ci.example', { platform });

const checks = suite('a binding');

type Case = readonly [platform: TrustedIssuer['platform'], claims: Record<string, string>];

const FIXED: readonly Case[] = [
  ['github', { repository_id: '74', job_workflow_ref: FLOW }],
  ['github', { repository_id: '74', environment: 'production' }],
  ['github', { repository_id: '74', environment: 'production', repository_owner_id: '9', ref: 'refs/heads/main' }],
  ['kubernetes', { 'kubernetes.io/serviceaccount/uid': UID }],
  ['kubernetes', { 'kubernetes.io/serviceaccount/uid': UID, 'kubernetes.io/namespace': 'ops' }],
  ['generic', { sub: 'patcher' }],
  ['generic', { sub: 'patcher', 'https:~1~1ci.example~1project': '7' }],
];
for (const [platform, claims] of FIXED) {
  checks(`on ${platform} is fixed by ${Object.keys(claims).join(', ')}`, () => {
    assert.equal(checkBinding(on(platform), binding(claims)), { ok: true, value: undefined });
  });
}

const LOOSE: readonly (readonly [...Case, path: string])[] = [
  ['github', { repository: 'acme/infra', job_workflow_ref: FLOW }, 'claims.repository_id'],
  ['github', { repository_id: '74' }, 'claims'],
  ['github', { repository_id: '74', ref: 'refs/heads/main' }, 'claims'],
  ['github', { repository_id: 'acme/infra', environment: 'production' }, 'claims.repository_id'],
  ['github', { sub: 'repo:acme/infra:ref:refs/heads/main' }, 'claims.repository_id'],
  ['kubernetes', { 'kubernetes.io/serviceaccount/name': 'bot' }, 'claims.kubernetes.io/serviceaccount/uid'],
  ['kubernetes', { sub: 'system:serviceaccount:ops:bot' }, 'claims.kubernetes.io/serviceaccount/uid'],
  ['kubernetes', { 'kubernetes.io/serviceaccount/uid': 'bot' }, 'claims.kubernetes.io/serviceaccount/uid'],
  ['generic', {}, 'claims.sub'],
  ['generic', { email: 'bot@ci.example' }, 'claims.sub'],
  ['generic', { sub: 'a', jti: 'b' }, 'claims.jti'],
  ['generic', { sub: 'a', 'aud/0': 'b' }, 'claims.aud/0'],
  ['generic', { sub: '' }, 'claims.sub'],
  ['generic', { sub: 'a', '': 'b' }, 'claims.'],
  ['generic', { sub: 'a', 'x//y': 'b' }, 'claims.x//y'],
  ['generic', { sub: 'a\u0007' }, 'claims.sub'],
  ['generic', { sub: 'x'.repeat(513) }, 'claims.sub'],
  ['generic', Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`c${at}`, 'x'])), 'claims'],
];
for (const [platform, claims, path] of LOOSE) {
  checks(`on ${platform} is not fixed by ${JSON.stringify(claims).slice(0, 80)}`, () => {
    const checked = checkBinding(on(platform), binding(claims));
    assert.equal(checked.ok ? null : [checked.error.code, checked.error.path], ['invalid_field', `binding.${path}`]);
  });
}

checks('of another issuer is refused', () => {
  assert.is(checkBinding(on('generic'), binding({ sub: 'a' }, 'other')).ok, false);
});

checks.run();

const claims = {
  sub: 'a',
  n: 7,
  list: ['a'],
  'kubernetes.io': { serviceaccount: { uid: UID } },
  'a/b~c': { d: 'deep' },
};

const paths = suite('a claim’s path');

const PATHS: readonly (readonly [path: string, value: unknown])[] = [
  ['sub', 'a'],
  ['kubernetes.io/serviceaccount/uid', UID],
  ['a~1b~0c/d', 'deep'],
  ['sub/length', undefined],
  ['list/0', undefined],
  ['missing/uid', undefined],
  ['constructor', undefined],
  ['__proto__/constructor', undefined],
  ['', undefined],
];
for (const [path, value] of PATHS) paths(`"${path}"`, () => assert.is(claimAt(claims, path), value));

paths('is matched whole, as text, and all of them', () => {
  const fits = (wanted: Record<string, string>): boolean => satisfies(claims, binding(wanted));
  assert.is(fits({ sub: 'a', 'kubernetes.io/serviceaccount/uid': UID }), true);
  assert.is(fits({ sub: 'a', missing: 'x' }), false);
  assert.is(fits({ sub: '.*' }), false);
  assert.is(fits({ sub: 'A' }), false);
  assert.is(fits({ n: '7' }), false);
  assert.is(fits({ list: 'a' }), false);
  assert.is(fits({}), false);
});

paths.run();

const overlaps = suite('two bindings');

const PAIRS: readonly (readonly [a: WorkloadBinding, b: WorkloadBinding, overlap: boolean])[] = [
  [binding({ sub: 'a' }), binding({ sub: 'a' }), true],
  [binding({ sub: 'a' }), binding({ sub: 'b' }), false],
  [binding({ sub: 'a' }), binding({ sub: 'a' }, 'other'), false],
  [binding({ sub: 'a' }), binding({ sub: 'a', env: 'x' }), true],
  [binding({ id: '1', job_workflow_ref: FLOW }), binding({ id: '1', environment: 'production' }), true],
  [binding({ id: '1', environment: 'test' }), binding({ id: '1', environment: 'production' }), false],
];
for (const [a, b, overlap] of PAIRS) {
  overlaps(`${JSON.stringify(a.claims)} and ${JSON.stringify(b.claims)}`, () => {
    assert.equal([bindingsOverlap(a, b), bindingsOverlap(b, a)], [overlap, overlap]);
  });
}

overlaps('overlap if any token satisfies both', () => {
  const some = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { minKeys: 1 });
  const property = fc.property(some, some, some, (a, b, token) => {
    const both = satisfies(token, binding(a)) && satisfies(token, binding(b));
    return !both || bindingsOverlap(binding(a), binding(b));
  });
  fc.assert(property, { numRuns: 2_000 });
});

overlaps.run();
