/** What notices say: whom, what, where; the agent's words apart; no secret and nothing that decides. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  AgentName,
  ApprovalId,
  AssignmentId,
  LeaseId,
  PauseId,
  PersonName,
  RequestId,
  RoleName,
  TaskName,
  TenantName,
  TripId,
} from '../../src/core/ids.ts';
import type { NoticeFacts } from '../../src/core/notice.ts';
import { NOTICE_KINDS } from '../../src/core/notice.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { noticeInWords } from '../../src/approve/notify.ts';
import type { Telling } from '../../src/approve/notify.ts';
import { hides, HOSTILE } from '../support/notices.ts';

const person = (name: string, active = true, email: string | null = `${name}@msp.example`) =>
  [name as PersonName, { displayName: `${name} Nord`, email, active }] as const;

const TELLING: Telling = {
  id: 'wrk_1',
  tenant: { name: 'acme' as TenantName, displayName: 'Acme Retail' },
  persons: new Map([person('paula'), person('ana', true, null), person('gone', false)]),
  publicUrl: 'https://brevet.example',
  at: instant(Date.UTC(2026, 10, 2, 9)),
};

const ask = {
  agent: 'net-bot' as AgentName,
  task: 'firewall.change' as TaskName,
  tier: 3,
  resource: 'firewall/edge-1',
  reason: 'Telnet is open',
};
const approval = 'apr_01jq' as ApprovalId;
const of = { approval, ask, tell: ['paula', 'ana'] as PersonName[] };
const until = instant(Date.UTC(2026, 10, 2, 9, 15));
const act = {
  lease: 'lse_01jq' as LeaseId,
  agent: 'net-bot' as AgentName,
  task: 'service.restart' as TaskName,
  resource: 'servers/print-1',
};

const FACTS: Readonly<Record<NoticeFacts['kind'], NoticeFacts>> = {
  asked: { kind: 'asked', step: 'account-engineer', until, ...of },
  escalated: { kind: 'escalated', step: 'service-desk-manager', until, ...of },
  answered: { kind: 'answered', verdict: 'rejected', by: ['paula' as PersonName], because: 'wrong_client', ...of },
  narrowed: { kind: 'narrowed', by: 'paula' as PersonName, ...of },
  expired: { kind: 'expired', ...of },
  acted: { kind: 'acted', ...act, confidence: 0.82, reviewBy: until, tell: of.tell },
  refused: {
    kind: 'refused',
    request: 'req_01jq' as RequestId,
    agent: act.agent,
    task: act.task,
    resource: act.resource,
    rules: ['held-back'],
    tell: of.tell,
  },
  glass_broken: {
    kind: 'glass_broken',
    assignment: 'asg_01jq' as AssignmentId,
    agent: act.agent,
    role: 'emergency' as RoleName,
    by: 'paula' as PersonName,
    reason: 'Ransomware',
    until,
    tell: of.tell,
  },
  tripped: {
    kind: 'tripped',
    trip: 'trp_01jq' as TripId,
    agent: act.agent,
    task: act.task,
    signal: 'failed',
    count: 5,
    within: seconds(3600),
    to: 'ask',
    block: null,
    tell: of.tell,
  },
  all_paused: { kind: 'all_paused', pause: 'pse_01jq' as PauseId, trips: 12, tenants: 4, tell: of.tell },
  done_at_client: { kind: 'done_at_client', ...act, tier: 1, at: until, address: 'it@acme.example' },
};

const told = (facts: NoticeFacts) => noticeInWords(facts, TELLING);
const line = (facts: NoticeFacts, label: string): string | undefined =>
  told(facts).lines.find((one) => one.label === label)?.text;

const SUBJECTS: readonly (readonly [kind: NoticeFacts['kind'], subject: string, link: string | null])[] = [
  ['asked', 'firewall.change at Acme Retail is asked of you', '/approvals/acme/apr_01jq'],
  ['escalated', 'firewall.change at Acme Retail has not been answered and is asked of you', '/approvals/acme/apr_01jq'],
  ['answered', 'firewall.change at Acme Retail was rejected', '/approvals/acme/apr_01jq'],
  ['narrowed', 'firewall.change at Acme Retail would be given in part', '/approvals/acme/apr_01jq'],
  ['expired', 'firewall.change at Acme Retail was not answered in time', '/approvals/acme/apr_01jq'],
  ['acted', 'net-bot did service.restart at Acme Retail', '/leases/acme/lse_01jq/reverse'],
  ['refused', 'net-bot was refused service.restart at Acme Retail', null],
  ['glass_broken', 'The glass was broken at Acme Retail: net-bot has emergency', '/reviews'],
  ['tripped', 'A breaker has tripped: service.restart of net-bot at Acme Retail asks from now on', null],
  ['all_paused', 'Everything is paused everywhere: breakers trip at many clients', null],
  ['done_at_client', 'Done for you: service.restart', null],
];

const notices = suite('approve/notify');

for (const [kind, subject, link] of SUBJECTS) {
  notices(`${kind}: ${subject}`, () => {
    const notice = told(FACTS[kind]);
    assert.is(notice.subject, subject);
    assert.is(notice.link, link === null ? null : `https://brevet.example${link}`);
    assert.equal([notice.id, notice.kind, notice.tenant], ['wrk_1', kind, 'acme']);
  });
}

notices('every kind has its words', () => {
  assert.equal([...Object.keys(FACTS), 'digest'].toSorted(), [...NOTICE_KINDS].toSorted());
});

notices('name who is asked, in which step, until when, and what comes then', () => {
  assert.is(line(FACTS.asked, 'Asked'), 'paula Nord, ana Nord (account-engineer)');
  assert.match(line(FACTS.asked, 'Until') ?? '', /^2026-11-02 09:15 UTC; .*without an answer it ends as a no$/);
});

notices('of an act at tier 2 say what, where, how sure, whom they told and how to reverse it', () => {
  const labels = told(FACTS.acted).lines.map(({ label, text }) => `${label}: ${text}`);
  assert.equal(labels, [
    'Agent: net-bot',
    'Task: service.restart',
    'Client: Acme Retail (acme)',
    'Resource: servers/print-1',
    'How sure it says it is: 82 %',
    'Told: paula Nord, ana Nord',
    'To be reviewed by: 2026-11-02 09:15 UTC',
    'To reverse it: Open its page: one click there ends the credential and orders the way back.',
  ]);
  assert.is(line({ ...FACTS.acted, confidence: null } as NoticeFacts, 'How sure it says it is'), 'not said');
});

notices('of a breaker say what was counted, and how it is ended, of one that blocks too', () => {
  assert.is(line(FACTS.tripped, 'Why'), '5 runs that it calls failed within 60 min');
  assert.match(line(FACTS.tripped, 'To end it') ?? '', /brevet trip reset trp_01jq$/);
  const blocked = { ...FACTS.tripped, to: 'block', block: 'blk_01jq' } as NoticeFacts;
  assert.match(told(blocked).subject, /is stopped$/);
  assert.match(line(blocked, 'To end it') ?? '', /brevet block lift blk_01jq$/);
  assert.match(line(FACTS.all_paused, 'Why') ?? '', /^12 breakers have tripped at 4 clients, Acme Retail among them$/);
});

notices('say why it was rejected, by the reason alone', () => {
  assert.is(line(FACTS.answered, 'Because'), 'wrong client');
  assert.is(line(FACTS.answered, 'By'), 'paula Nord');
});

notices('go to those who are here and have an address, and to a client’s contact alone where it is for that', () => {
  const tell = ['paula', 'ana', 'gone', 'nobody'] as PersonName[];
  const { to, audience } = told({ ...FACTS.expired, tell } as NoticeFacts);
  assert.equal(to, [
    { name: 'paula Nord', address: 'paula@msp.example' },
    { name: 'ana Nord', address: null },
  ]);
  assert.is(audience, 'team');
  const client = told(FACTS.done_at_client);
  assert.equal([client.audience, client.to], ['client', [{ name: 'Acme Retail', address: 'it@acme.example' }]]);
  assert.not.match(JSON.stringify(client.facts), 'it@acme.example');
});

notices('of what was done by itself say that nobody was asked, and of what was asked that somebody was', () => {
  const how = [1, 2, 3].map((tier) => line({ ...FACTS.done_at_client, tier } as NoticeFacts, 'How') ?? '');
  assert.match(how[0] ?? '', 'by itself');
  assert.match(how[1] ?? '', 'were told');
  assert.match(how[2] ?? '', 'agreed');
});

notices('mark an agent’s words as its own, bounded, and with what hides made visible', () => {
  for (const facts of Object.values(FACTS)) {
    // Nothing of it is an agent's.
    if (['glass_broken', 'tripped', 'all_paused'].includes(facts.kind)) continue;
    const words = `${HOSTILE}${'x'.repeat(100_000)}`;
    const hostile =
      'ask' in facts ? { ...facts, ask: { ...ask, resource: words, reason: words } } : { ...facts, resource: words };
    const { lines, subject } = told(hostile);
    const theirs = lines.filter(({ text }) => text.includes('evil.example'));
    assert.ok(theirs.length > 0, facts.kind);
    assert.ok(
      theirs.every((one) => one.words === 'agent' && Array.from(one.text).length <= 300),
      facts.kind,
    );
    assert.ok([...lines.map(({ text }) => text), subject].every((text) => !hides(text)));
    assert.not.match(subject, 'evil.example');
  }
});

notices('hold no link but the one to the console', () => {
  for (const facts of Object.values(FACTS)) {
    const { link: _, ...rest } = told(facts);
    assert.not.match(JSON.stringify(rest), /https?:/, facts.kind);
  }
});

notices('show why the glass was broken on one line, with what hides made visible', () => {
  const because = line({ ...FACTS.glass_broken, reason: `${HOSTILE}\n\nOpen it in Brevet` } as NoticeFacts, 'Because');
  assert.not.ok(hides(because ?? ''));
  assert.not.match(because ?? '', '\n');
});

notices('show a client’s and a person’s name as they show an agent’s words', () => {
  const persons = new Map([['paula' as PersonName, { displayName: HOSTILE, email: null, active: true }]]);
  const tenant = { name: 'acme' as TenantName, displayName: HOSTILE };
  const { subject, lines, to } = noticeInWords(FACTS.asked, { ...TELLING, persons, tenant });
  const all = [subject, ...lines.map(({ text }) => text), ...to.map(({ name }) => name)];
  assert.ok(all.every((text) => !hides(text)));
});

notices.run();
