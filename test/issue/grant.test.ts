/** What makes an approved ask the authority to mint, and all that keeps it from being one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isEnoughFor } from '../../src/core/approval.ts';
import type { Approval, Binding, Vote } from '../../src/core/approval.ts';
import type { OperatorName, PersonName, RequestId } from '../../src/core/ids.ts';
import type { RuleName } from '../../src/core/policy.ts';
import { after, instant, seconds } from '../../src/core/time.ts';
import { approvalTerms } from '../../src/approve/approval.ts';
import type { Ask, Permit } from '../../src/decide/decision.ts';
import { grantOfApproval } from '../../src/issue/grant.ts';
import type { Approved } from '../../src/issue/grant.ts';
import { asking, asks, NOW } from '../decide/world.ts';

const ASKING = asking('net-bot', 'firewall.change', 'acme');
const ASK = asks(ASKING);
const { principal, request } = ASKING;
const id = 'req_1' as RequestId;

const BINDING: Binding = {
  tenant: principal.tenant,
  request: id,
  agent: principal.agent.name,
  proof: 'a key',
  request_hash: request.hash,
  task: request.task,
  role: ASK.execution.role,
  resource: request.resource,
  parameters: request.parameters,
  ttl: ASK.execution.ttl,
  uses: ASK.execution.uses,
  provider: 'jwt',
  target: 'firewall',
  target_version: 1,
  death: {},
  not_enforced: [],
  mint: 'a digest',
};

const [YES] = ASK.approval.steps[0]?.asks ?? [];
if (YES === undefined) throw new Error('its route asks nobody');

const vote: Vote = {
  person: YES,
  operator: 'op' as OperatorName,
  verdict: 'approve',
  at: NOW,
  passkey: 'key',
  packageHash: 'hash',
  tookMs: 1,
};
const APPROVAL: Approval = {
  ...approvalTerms({ random: (n) => new Uint8Array(n) }, { principal, request, at: NOW }, ASK, BINDING),
  state: 'approved',
  version: 1,
  step: 0,
  stepEndsAt: after(NOW, seconds(900)),
  votes: [vote],
  acceptedAt: null,
  decidedAt: NOW,
  redeemBy: after(NOW, seconds(900)),
  rejection: null,
  lease: null,
};
assert.ok(isEnoughFor(APPROVAL, [YES]), 'one yes was enough');

const PERMIT: Permit = {
  ...ASK,
  effect: 'permit',
  approval: { rules: ASK.approval.rules, policy: ASK.approval.policy },
};
const wanting = (change: Partial<Ask['approval']>): Ask => ({ ...ASK, approval: { ...ASK.approval, ...change } });
const twoOfStep = ASK.approval.steps.map((step) => ({ ...step, quorum: { of: 'any', count: 2 } as const }));
const alsoAsks = [...ASK.approval.rules, 'another-asks' as RuleName];

interface Given {
  readonly decision?: Permit | Ask;
  readonly approval?: Partial<Approval>;
  readonly binding?: Partial<Binding>;
  readonly standing?: readonly PersonName[];
}

const OVER = 'approval_over';
const DIFFERS = 'approval_differs';
const CASES: readonly (readonly [what: string, given: Given, outcome: string])[] = [
  ['an approved ask of the very same', {}, 'granted'],
  ['what a rule permits by now', { decision: PERMIT }, 'granted'],
  ['one that nobody has answered', { approval: { state: 'pending' } }, OVER],
  ['one that was refused', { approval: { state: 'rejected' } }, OVER],
  ['one that was spent', { approval: { state: 'redeemed' } }, OVER],
  ['one that nobody came for in time', { approval: { redeemBy: NOW } }, OVER],
  ['another credential', { binding: { mint: 'another digest' } }, DIFFERS],
  ['an agent that proves itself otherwise', { binding: { proof: 'another key' } }, DIFFERS],
  ['a longer life', { binding: { ttl: BINDING.ttl + 1 } }, DIFFERS],
  ['what a further rule asks about', { decision: wanting({ rules: alsoAsks }) }, DIFFERS],
  ['what nobody said yes to who may still', { standing: [] }, DIFFERS],
  ['the no of somebody', { approval: { votes: [{ ...vote, verdict: 'reject' }] } }, DIFFERS],
  ['one yes, where another policy takes two', { decision: wanting({ policy: 'next', steps: twoOfStep }) }, DIFFERS],
  ['one yes, where another policy takes one', { decision: wanting({ policy: 'next' }) }, 'granted'],
];

const grants = suite('an approval grants');

for (const [what, { decision = ASK, approval, binding, standing = [YES] }, outcome] of CASES) {
  grants(`${outcome === 'granted' ? '' : 'not '}${what}`, () => {
    const of = { id, principal, request, snapshot: ASKING.snapshot, at: instant(NOW) };
    const approved: Approved = {
      approval: { ...APPROVAL, ...approval },
      binding: { ...BINDING, ...binding },
      standing,
    };
    const granted = grantOfApproval(decision, of, approved);
    assert.is(granted.ok ? 'granted' : granted.error.code, outcome);
    if (granted.ok) assert.is(granted.value.terms.approval, APPROVAL.id);
  });
}

grants.run();
