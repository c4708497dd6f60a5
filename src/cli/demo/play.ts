/** The steps of the demo, in order. Each line that it tells is something that it has just seen. */
import postgres from 'postgres';
import { createBrevet } from '../../client/brevet.ts';
import type { AgentLease } from '../../client/lease.ts';
import { BrevetRefused, BrevetWaiting } from '../../client/error.ts';
import type { Psa } from './psa.ts';
import { agentSession } from './session.ts';
import { mustBe } from './story.ts';
import type { Story } from './story.ts';
import { call, must } from './world.ts';
import type { World } from './world.ts';

interface Stage {
  readonly url: string;
  readonly deps: { readonly publicUrl: string };
}

const QUERY = 'SELECT count(*)::int AS days, sum(revenue) AS revenue FROM sales';

export async function play(story: Story, { url, deps }: Stage, world: World & { readonly psa: Psa }): Promise<void> {
  const to = { url: deps.publicUrl, tenant: 'acme' };
  const bot = createBrevet({ ...to, agent: 'report-bot', key: world.keys['report-bot'] });
  const token = await agentSession(url, deps.publicUrl, 'report-bot', world.keys['report-bot']);

  story.step('report-bot asks to read the sales at Acme, for five minutes');
  const lease = await bot.ask({
    task: 'report.query',
    resource: 'shop-db',
    parameters: { report: 'daily-sales' },
    reason: 'The daily report is due',
    ttl: 300,
  });
  const login = await lease.use((credential) => credential);
  story.saw(`permitted: the lease ${lease.id}, a Postgres login ${String(login['user'])} until ${lease.expiresAt}`);
  const open = connect(login);
  const [row] = await open.unsafe<{ days: number; revenue: string }[]>(QUERY);
  mustBe(row?.days === 7, 'seven days of sales');
  story.saw(`a Postgres client ran «${QUERY}»: ${row?.days} days, ${row?.revenue} revenue`);
  const writing = await refusalOf(open.unsafe('DELETE FROM sales'));
  story.saw(`the same login may not write: ${writing}`);

  const { overseer: oversight } = world;
  await deniedAndAsked(story, { url, publicUrl: deps.publicUrl, token, oversight, bot });
  await otherTenant(story, url, token);

  story.step('report-bot is done, while its session is still at work');
  const working = refusalOf(open.unsafe('SELECT pg_sleep(60)'));
  const ended = await lease.done({ outcome: 'succeeded', summary: 'Seven days reported.' });
  mustBe(ended.death === 'verified', 'a death that was seen');
  story.saw(`the lease is ${ended.state}, its death ${ended.death}, exposure ${ended.exposureMs} ms`);
  story.saw(`the session that was still open: ${await working}`);
  await open.end({ timeout: 1 });
  const again = connect(login);
  story.saw(`the same login, tried again: ${await refusalOf(again.unsafe(QUERY))}`);
  await again.end({ timeout: 1 });

  await throughTheGateway(story, to, world);
  await onlyOversight(story, { url, deps }, world, bot);
  await tell(story, url, world, lease);
}

interface Asking {
  readonly url: string;
  readonly publicUrl: string;
  /** The agent's. */
  readonly token: string;
  readonly oversight: string;
  readonly bot: ReturnType<typeof createBrevet>;
}

/** The part of an approval's way that is told. */
interface Way {
  readonly steps: readonly { readonly name: string; readonly within_s: number; readonly asks: readonly string[] }[];
}

async function deniedAndAsked(story: Story, { url, publicUrl, token, oversight, bot }: Asking): Promise<void> {
  story.step('report-bot asks for something that a rule forbids');
  const denied = await caught(
    bot.ask({
      task: 'ticket.route',
      resource: 'password-store',
      parameters: { ticket: 'ACME-1', queue: 'identity' },
      reason: 'Look up a password',
    }),
  );
  mustBe(denied instanceof BrevetRefused, 'a refusal');
  if (denied instanceof BrevetRefused) story.saw(`${denied.code}: ${denied.detail}. ${denied.hint ?? ''}`);

  story.step('report-bot asks to change the firewall');
  const asked = await caught(
    bot.ask({
      task: 'firewall.change',
      resource: 'edge-firewall',
      parameters: { rule: 'telnet-from-outside', action: 'close', port: 23 },
      reason: 'Telnet is open to the world',
      change: 'CHG-1042',
      rollback: 'Open the rule again',
    }),
  );
  mustBe(asked instanceof BrevetWaiting, 'a question to a person');
  if (!(asked instanceof BrevetWaiting)) return;
  story.saw(`a person is asked (${asked.approval ?? ''}); nothing was minted`);
  const { body: kept } = await must(url, 'GET', `/api/approvals/acme/${asked.approval ?? ''}`, { token: oversight });
  const [first] = (kept['way'] as Way).steps;
  mustBe(first !== undefined && first.asks.length > 0, 'somebody who is asked');
  story.saw(
    `${first?.name ?? ''} is asked first, and has ${(first?.within_s ?? 0) / 60} min: ${first?.asks.join(', ') ?? ''}`,
  );
  story.saw(`they decide at ${publicUrl}/approvals/acme/${asked.approval ?? ''}, with a passkey, and nowhere else`);
  const { body } = await must(url, 'GET', `/t/acme/requests/${asked.request}`, { token });
  mustBe(body['lease'] === null, 'no lease');
  const approve = await call(url, 'POST', `/api/approvals/${asked.approval ?? ''}`, {
    token,
    body: { verdict: 'approve' },
  });
  mustBe(approve.status === 401, 'an agent that cannot approve');
  story.saw(`report-bot tries to approve it itself: ${approve.status} ${String(approve.body['code'])}`);
}

async function otherTenant(story: Story, url: string, token: string): Promise<void> {
  story.step('report-bot looks at another client with its token of Acme');
  const there = await call(url, 'GET', '/t/northwind-clinic/leases', { token });
  const nowhere = await call(url, 'GET', '/t/no-such-client/leases', { token });
  mustBe(there.status === 401 && nowhere.status === there.status, 'the answer for what does not exist');
  story.saw(`${there.status} ${String(there.body['code'])}, as for a client that does not exist`);
}

async function throughTheGateway(
  story: Story,
  to: { readonly url: string; readonly tenant: string },
  { keys, psa }: World & { readonly psa: Psa },
): Promise<void> {
  story.step('triage-bot reads a ticket in a tool that only knows one API key for all clients');
  const bot = createBrevet({ ...to, agent: 'triage-bot', key: keys['triage-bot'] });
  const read = (ticket: string) =>
    bot.ask({ task: 'ticket.read', resource: 'psa', parameters: { ticket }, reason: 'It came in', uses: 1 });
  const lease = await read('ACME-17');
  const way = await lease.use((credential) => credential);
  const given = await callTool(way, 'ACME-17');
  mustBe(given.status === 200 && psa.told() === lease.id, 'a ticket, and a tool that was told the lease');
  story.saw(
    `${given.status} «${String(given.body['subject'])}»; the tool was shown its key by Brevet, and told ${psa.told() ?? ''}`,
  );
  const once = await callTool(way, 'ACME-17');
  mustBe(once.status === 401, 'a use that is spent');
  story.saw(`the same call again: ${once.status} ${String(once.body['code'])}, since it was for one use`);
  const foreign = await read('NWC-3');
  const other = await foreign.use((credential) => callTool(credential, 'NWC-3'));
  mustBe(other.status === 403, 'a ticket of another client that is not shown');
  story.saw(`a ticket of another client, with the same key: ${other.status} ${String(other.body['code'])}`);
  await foreign.done({ outcome: 'abandoned' });
}

async function callTool(credential: Readonly<Record<string, unknown>>, ticket: string) {
  const response = await fetch(`${String(credential['base_url'])}/tickets/${ticket}`, {
    headers: { authorization: `Bearer ${String(credential['token'])}` },
  });
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
}

async function onlyOversight(
  story: Story,
  { url, deps: { publicUrl } }: Stage,
  world: World,
  bot: Asking['bot'],
): Promise<void> {
  story.step('Another lease, and who may end it');
  const lease = await bot.ask({ task: 'report.query', resource: 'shop-db', parameters: {}, reason: 'One more look' });
  const path = `/t/acme/leases/${lease.id}/revoke`;
  const body = { reason: 'A drill' };
  const other = await agentSession(url, publicUrl, 'triage-bot', world.keys['triage-bot']);
  const byAgent = await call(url, 'POST', path, { token: other, body });
  mustBe(byAgent.status === 404, 'another agent that sees nothing');
  story.saw(`triage-bot: ${byAgent.status} ${String(byAgent.body['code'])}`);
  const byAdministrator = await call(url, 'POST', path, { token: world.administrator, body });
  mustBe(byAdministrator.status === 403, 'an administrator who may not');
  story.saw(`ada, who administers: ${byAdministrator.status} ${String(byAdministrator.body['code'])}`);
  const byOversight = await must(url, 'POST', path, { token: world.overseer, body });
  const ended = byOversight.body['lease'] as { readonly state: string; readonly exposure_ms: number };
  mustBe(ended.state === 'revoked', 'a lease that oversight ended');
  story.saw(`otto, who oversees: ${ended.state}, exposure ${ended.exposure_ms} ms`);
}

interface Timeline {
  readonly accountable: string;
  readonly policy: string;
  readonly exposure_ms: number;
  readonly steps: readonly { readonly at: string; readonly kind: string; readonly actor: { readonly name: string } }[];
}

async function tell(story: Story, url: string, world: World, lease: AgentLease): Promise<void> {
  story.step(`Oversight reads the story of ${lease.id}`);
  const answer = await must(url, 'GET', `/t/acme/leases/${lease.id}/timeline`, { token: world.overseer });
  const timeline = answer.body as unknown as Timeline;
  story.saw(`accountable: ${timeline.accountable}; policy ${timeline.policy.slice(0, 12)}`);
  for (const step of timeline.steps) story.saw(`${step.at}  ${step.kind.padEnd(18)} by ${step.actor.name}`);
  story.saw(`exposure: ${timeline.exposure_ms} ms from the commit of its end to the sight of its death`);
}

function connect(login: Readonly<Record<string, unknown>>): postgres.Sql {
  return postgres({
    host: String(login['host']),
    port: Number(login['port']),
    database: String(login['database']),
    user: String(login['user']),
    password: String(login['password']),
    max: 1,
    onnotice: () => undefined,
  });
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return null;
  } catch (fault) {
    return fault;
  }
}

/** What Postgres said, where it must have said no. */
async function refusalOf(query: Promise<unknown>): Promise<string> {
  const fault = await caught(query);
  mustBe(fault instanceof Error, 'a refusal of the database');
  return fault instanceof Error ? fault.message : '';
}
