/** When people are away: who says so, for how long, and that they are asked nothing meanwhile. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { after, seconds, toRfc3339 } from '../../src/core/time.ts';
import { ASKED, must, testApp } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { startOidc } from '../support/oidc.ts';

const CLIENT = 'brevet';
const PEOPLE = ['ada', 'paula', 'otto'];
const oidc = await startOidc(Object.fromEntries(PEOPLE.map((name) => [name, {}])));
const app = await testApp({ operators: { issuer: oidc.url, clientId: CLIENT, clientSecret: null } });
for (const name of PEOPLE) {
  must(await app.operator('ada', 'PUT', `/api/operators/${name}`, { person: name, issuer: oidc.url, subject: name }));
}

const DAY = 86_400;
const PATH = '/api/people/paula/absences';
const inSeconds = (count: number): string => toRfc3339(after(app.deps.clock(), seconds(count)));
const away = () => ({ until: inSeconds(DAY) });
const signedIn = async (name: string, method: string, path = PATH, body?: unknown, headers = {}): Promise<Answer> =>
  app.call(method, path, {
    token: await oidc.token(name, CLIENT),
    headers,
    ...(body === undefined ? {} : { body }),
  });
const ask = async (): Promise<Answer> =>
  app.call('POST', '/t/acme/requests', { token: await app.session(), body: ASKED });
const newest = async () => {
  const [row] = await app.sql<{ kind: string; text: string }>(
    `select kind, text from entries where tenant = '' order by at desc, id desc limit 1`,
  );
  return { kind: row?.kind, ...(JSON.parse(row?.text ?? '{}') as { actor: { person: string }; facts: object }) };
};

const absences = suite('administer/absences');

absences('are said by the person or an administrator, and by nobody else', async () => {
  must(await signedIn('paula', 'PUT', PATH, away()));
  assert.is(must(await signedIn('paula', 'GET')).body['by'], 'paula');
  must(await signedIn('ada', 'PUT', PATH, away()));
  assert.is(must(await signedIn('ada', 'GET')).body['by'], 'ada');
  for (const method of ['PUT', 'GET', 'DELETE']) {
    const answer = await signedIn('otto', method, PATH, method === 'PUT' ? away() : undefined);
    assert.equal([answer.status, answer.body['code']], [403, 'function_needed'], method);
  }
  must(await signedIn('ada', 'DELETE'));
});

absences('are not said by whoever holds the deployment key in the name of another', async () => {
  must(await app.operator('ada', 'PUT', '/api/people/otto/absences', away()));
  must(await app.operator('ada', 'DELETE', '/api/people/otto/absences'));
  const answer = await app.operator('otto', 'PUT', '/api/people/otto/absences', away());
  assert.equal([answer.status, answer.body['code']], [403, 'function_needed']);
});

const REFUSED: readonly (readonly [what: string, body: () => object, path: string, code: string])[] = [
  ['no end', () => ({}), PATH, 'invalid_field'],
  ['an end that has passed', () => ({ until: inSeconds(-1) }), PATH, 'invalid_field'],
  ['an end before its beginning', () => ({ from: inSeconds(DAY), until: inSeconds(DAY - 1) }), PATH, 'invalid_field'],
  ['more than 90 days', () => ({ until: inSeconds(90 * DAY + 60) }), PATH, 'invalid_field'],
  ['another author', () => ({ ...away(), by: 'otto' }), PATH, 'unknown_field'],
  ['a person that is not there', away, '/api/people/nobody/absences', 'not_found'],
  ['a name that is none', away, '/api/people/No%20One/absences', 'invalid_name'],
];

for (const [what, body, path, code] of REFUSED) {
  absences(`refuse ${what}`, async () => {
    assert.is((await signedIn('ada', 'PUT', path, body())).body['code'], code);
  });
}

absences('that are over, or that nobody said, are not there', async () => {
  assert.is((await signedIn('paula', 'GET')).status, 404);
  assert.is((await signedIn('paula', 'DELETE')).status, 404);
});

absences('are facts of the deployment’s ledger, with why where it was said', async () => {
  const until = inSeconds(DAY);
  must(await signedIn('ada', 'PUT', PATH, { until }, { 'brevet-reason': 'ill' }));
  const put = await newest();
  assert.equal([put.kind, put.actor.person], ['register.put', 'ada']);
  assert.equal({ ...put.facts, from: '' }, { change: 'absence.put', person: 'paula', from: '', until });
  must(await signedIn('paula', 'DELETE'));
  const ended = await newest();
  assert.equal([ended.kind, ended.facts], ['register.removed', { change: 'absence.end', person: 'paula' }]);
});

absences('take who is away out of every route, from their beginning to their end', async () => {
  assert.is((await ask()).status, 202);
  must(await signedIn('paula', 'PUT', PATH, { from: inSeconds(3600), until: inSeconds(DAY) }));
  assert.is((await ask()).status, 202, 'it has not begun');
  must(await signedIn('paula', 'PUT', PATH, away()));
  const refused = await ask();
  assert.equal([refused.status, refused.body['code']], [403, 'nobody_can_approve']);
  must(await signedIn('paula', 'DELETE'));
  assert.is((await ask()).status, 202);
});

absences('are changed as they were seen', async () => {
  must(await signedIn('paula', 'PUT', PATH, away(), { 'if-none-match': '*' }));
  assert.is((await signedIn('ada', 'PUT', PATH, away(), { 'if-none-match': '*' })).status, 412);
  const tag = (await signedIn('paula', 'GET')).headers.get('etag') ?? '';
  must(await signedIn('ada', 'DELETE', PATH, undefined, { 'if-match': tag }));
});

absences.after(async () => {
  await app.close();
  await oidc.stop();
});
absences.run();
