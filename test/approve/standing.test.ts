/** Who may answer an approval, by what they were of it when it was asked and by what they are of it now. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Approval, Binding, Vote } from '../../src/core/approval.ts';
import type { AgentName, PersonName } from '../../src/core/ids.ts';
import type { Passkey } from '../../src/core/passkey.ts';
import type { Agent } from '../../src/core/registers.ts';
import { after, seconds } from '../../src/core/time.ts';
import { approvalTerms } from '../../src/approve/approval.ts';
import { approversOf, whyMayNotAnswer } from '../../src/approve/standing.ts';
import type { Moment } from '../../src/approve/standing.ts';
import { asking, asks, NOW, OWNER, shipped } from '../decide/world.ts';

const ASKING = asking('net-bot', 'firewall.change', 'acme');
const ASK = asks(ASKING);
const { principal, request, snapshot } = ASKING;

const [ANN] = ASK.approval.steps[0]?.asks ?? [];
if (ANN === undefined) throw new Error('its route asks nobody');

const terms = approvalTerms({ random: (n) => new Uint8Array(n) }, { principal, request, at: NOW }, ASK, {
  request: 'req_1',
} as Binding);
const APPROVAL: Approval = {
  ...terms,
  state: 'pending',
  version: 1,
  step: 0,
  stepEndsAt: after(NOW, seconds(900)),
  votes: [],
  acceptedAt: null,
  decidedAt: null,
  redeemBy: null,
  rejection: null,
  lease: null,
};
const HERE: Moment = { bundle: shipped, snapshot, now: NOW };

/** The agent as it has come to be since it was asked. */
const withAgent = (change: Partial<Agent>): Partial<Moment> => {
  const agent = { ...principal.agent, ...change };
  return { snapshot: { ...snapshot, agents: new Map([[agent.name, { agent, enrolment: principal.enrolment }]]) } };
};
const lately = { person: ANN, until: NOW };
const juniors = new Map(
  [...shipped.routes.people].map(([name, one]) => [name, { ...one, level: 'technician' as const }]),
);
const noApprovals = snapshot.assignments.filter(({ function: of }) => of !== 'approval');
const route = APPROVAL.route.map((step) => ({ ...step, asks: step.asks.filter((person) => person !== ANN) }));
const KEY = 'key';
const voted = [{ person: ANN, verdict: 'approve', passkey: KEY } as Vote];
const ofTwo = APPROVAL.route.map((step) => ({ ...step, quorum: { of: 'any', count: 2 } as const }));
const passkeys = new Map([[KEY, { id: KEY, person: ANN, deviceBound: true } as Passkey]]);
const withKey: Partial<Moment> = { snapshot: { ...snapshot, deployment: { ...snapshot.deployment, passkeys } } };

const CASES: readonly (readonly [
  what: string,
  approval: Partial<Approval>,
  moment: Partial<Moment>,
  why: string | null,
  standing: boolean,
])[] = [
  ['who is asked', {}, {}, null, true],
  ['who is asked, though the agent has gone', { agent: 'gone-bot' as AgentName }, {}, null, true],
  ['not who had a part in it when it was asked', { involved: [OWNER, ANN] }, {}, 'in_conflict', false],
  ['not who has come to own the agent', {}, withAgent({ owner: ANN }), 'in_conflict', false],
  ['not who owned the agent of late', {}, withAgent({ formerOwners: [lately] }), 'in_conflict', false],
  [
    'not who holds approval no more',
    {},
    { snapshot: { ...snapshot, assignments: noApprovals } },
    'function_needed',
    false,
  ],
  [
    'not who is not of its level any more',
    {},
    { bundle: { ...shipped, routes: { ...shipped.routes, people: juniors } } },
    'function_needed',
    false,
  ],
  ['not to whom it has not come', { route }, {}, 'not_asked', true],
  ['not twice', { votes: voted, route: ofTwo }, withKey, 'answered_before', true],
  ['again, whose passkey that signed it is theirs no more', { votes: voted, route: ofTwo }, {}, null, true],
  ['again, where those whose yes counts again are enough', { votes: voted }, withKey, null, true],
  ['nobody, once it is over', {}, { now: APPROVAL.expiresAt }, 'approval_over', true],
  ['nobody, once it was refused', { state: 'rejected' }, {}, 'approval_over', true],
];

const standing = suite('an approval is answered by');

for (const [what, change, moment, why, stands] of CASES) {
  standing(what, () => {
    const approval = { ...APPROVAL, ...change };
    const at = { ...HERE, ...moment };
    assert.is(whyMayNotAnswer(approval, ANN, at)?.code ?? null, why);
    assert.is(approversOf(approval, at).includes(ANN), stands);
  });
}

standing('nobody who is not there', () => {
  assert.is(whyMayNotAnswer(APPROVAL, 'nobody' as PersonName, HERE)?.code, 'function_needed');
});

standing.run();
