/** The page for people says what decisions say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { exampleScene, summarize, summaryWire } from '../../src/decide/summary.ts';
import type { Summary, SummaryTask } from '../../src/decide/summary.ts';
import { engine, shipped } from './world.ts';

const rulebook = createRulebook(engine);
const pageAt = (tenant: string | null): Summary => summarize(exampleScene(shipped, rulebook, tenant));

const clinic = pageAt('northwind-clinic');
const everywhere = pageAt(null);

function taskOf(page: Summary, role: string, task: string): SummaryTask {
  const found = page.roles.find((one) => one.role === role)?.tasks.find((one) => one.task === task);
  if (found === undefined) throw new Error(`${role} has no ${task}`);
  return found;
}

const WAYS: readonly (readonly [page: Summary, role: string, task: string, way: string])[] = [
  [clinic, 'triage', 'ticket.route', 'acts'],
  [clinic, 'service-desk', 'ticket.close', 'tells'],
  [clinic, 'reporting', 'report.query', 'asks'],
  [clinic, 'service-desk', 'ticket.reply', 'never'],
  [everywhere, 'reporting', 'report.query', 'acts'],
  [everywhere, 'service-desk', 'ticket.reply', 'asks'],
  [pageAt('oldmill'), 'triage', 'ticket.route', 'asks'],
  [pageAt('parkside-museum'), 'triage', 'ticket.route', 'never'],
];

const test = suite('summary');

for (const [page, role, task, way] of WAYS) {
  test(`at ${page.tenant ?? 'all clients'} ${role} ${way}: ${task}`, () =>
    assert.is(taskOf(page, role, task).way, way));
}

test('says why something asks or never comes, in the words of the rules', () => {
  const asked = 'Health and personal records are seen by an agent only after a human has looked at why.';
  assert.ok(taskOf(clinic, 'reporting', 'report.query').reasons.includes(asked));
  assert.match(taskOf(clinic, 'service-desk', 'ticket.reply').reasons.join(), 'a free text may disclose');
});

test('marks what some get less freely', () => {
  assert.ok(taskOf(everywhere, 'triage', 'ticket.route').atMost);
  assert.not.ok(taskOf(clinic, 'network', 'firewall.change').atMost);
});

test('names who answers for it, what is for people alone, and a client’s own rules at that client alone', () => {
  assert.equal([everywhere.owner, everywhere.nextReview], [shipped.owner, shipped.nextReview]);
  assert.equal(
    everywhere.peopleAlone.map(({ task }) => task),
    ['documentation.read-password'],
  );
  const own = (page: Summary): boolean => page.rules.some(({ rule }) => rule === 'ledgerline-no-drafts-by-ai');
  assert.equal([everywhere, clinic, pageAt('ledgerline')].map(own), [false, false, true]);
});

test('lists no role that nobody holds there', () => {
  const roles = summaryWire(clinic)['roles'] as { role: string; agents: string[] }[];
  assert.ok(roles.every(({ agents }) => agents.length > 0));
  assert.ok(roles.some(({ role }) => role === 'triage'));
});

test.run();
