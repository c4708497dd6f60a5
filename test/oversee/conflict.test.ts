/** Who had a part in what an agent did, and so neither judges it nor looks at it in others' place. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Approval, Vote } from '../../src/core/approval.ts';
import type { ApprovalId, PersonName } from '../../src/core/ids.ts';
import type { Lease } from '../../src/core/lease.ts';
import type { Agent } from '../../src/core/registers.ts';
import { instant } from '../../src/core/time.ts';
import type { Deps } from '../../src/deps.ts';
import { conflictWithLease } from '../../src/oversee/conflict.ts';
import { ACME, agent, BOT, NOW } from '../authenticate/world.ts';

const ANN = 'ann' as PersonName;
const vote = (verdict: Vote['verdict']): Vote => ({ person: ANN, verdict }) as Vote;

interface Given {
  /** Who owned the agent when the lease was issued. */
  readonly owner?: PersonName;
  readonly approval?: Partial<Approval>;
  readonly agent?: Partial<Agent>;
}

const CASES: readonly (readonly [what: string, given: Given, conflict: boolean])[] = [
  ['nobody in particular', {}, false],
  ['who owned the agent when it was given', { owner: ANN }, true],
  ['who owns it now', { agent: { owner: ANN } }, true],
  ['its deputy', { agent: { deputy: ANN } }, true],
  ['who owned it of late', { agent: { formerOwners: [{ person: ANN, until: instant(NOW - 1) }] } }, true],
  ['who had a part in it when it was asked', { approval: { involved: [ANN] } }, true],
  ['who said yes to it', { approval: { votes: [vote('approve')] } }, true],
  ['who said no to it before others said yes', { approval: { votes: [vote('reject')] } }, false],
  [
    'who said yes to less, which was then given',
    { approval: { narrows: { approval: 'apr_1' as ApprovalId, by: ANN } } },
    true,
  ],
];

const conflicts = suite('in conflict with a lease');

for (const [what, given, conflict] of CASES) {
  conflicts(`is ${conflict ? '' : 'not '}${what}`, async () => {
    const bot = agent(BOT, given.agent);
    const approval = { involved: [], votes: [], narrows: null, ...given.approval } as unknown as Approval;
    const store = { approval: () => Promise.resolve(approval), agents: () => Promise.resolve([bot]) };
    const lease = { tenant: ACME, agent: BOT, owner: given.owner ?? bot.owner, approval: 'apr_2' } as unknown as Lease;
    const found = await conflictWithLease({ store } as unknown as Deps, lease, { person: ANN, now: NOW });
    assert.is(found?.code ?? null, conflict ? 'in_conflict' : null);
  });
}

conflicts.run();
