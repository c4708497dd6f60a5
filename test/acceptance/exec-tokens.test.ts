/**
 * `brevet exec` with what is called over HTTP: an API of the client's that asks Brevet about each token, and a tool that
 * knows API keys alone, behind the gateway. What the command was given is refused by both once it has ended. The
 * command is curl, and a Node script where this machine has none.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASSERTION_TYPE, createProver } from '../../src/client/assertion.ts';
import { copyTemplate } from '../support/cluster.ts';
import { runFolder, temporaryFolder } from '../support/leftovers.ts';
import { processClock, random } from '../support/target.ts';
import { closed, listen, startTool, TOOL_KEY, toolTarget } from '../support/tool.ts';
import type { Tool } from '../support/tool.ts';
import { administrator, call, must, newKey, newPlace, populate, run, startBroker, stopBroker } from './broker.ts';
import type { Place, Process } from './broker.ts';

let place: Place;
let broker: Process;
let tool: Tool;
let api: Server;
let apiUrl: string;
let agent: Record<string, string>;

/** Routes a ticket for whoever has a token that Brevet calls live, and knows nothing else of it. */
function clientsApi(jwk: JWK): Server {
  const issuer = `${place.url}/t/acme`;
  const prove = createProver('target:tickets', issuer, { key: jwk }, { clock: processClock, random });
  const isLive = async (token: string): Promise<unknown> => {
    const form = { token, client_assertion_type: ASSERTION_TYPE, client_assertion: await prove() };
    return (await must('POST', `${issuer}/introspect`, { form })).body['active'];
  };
  return createServer((request, response) => {
    isLive((request.headers.authorization ?? '').replace('Bearer ', '')).then(
      (live) => response.writeHead(live === true ? 200 : 401).end(live === true ? 'routed' : 'no'),
      () => response.writeHead(500).end(),
    );
  });
}

/** Shows the answer and its status, and leaves the token for whoever comes after. */
const CURL = 'curl -s -w " %{http_code}" -H "Authorization: Bearer $BREVET_TOKEN" "$URL"; echo; echo "$BREVET_TOKEN"';
const NODE = `
const { BREVET_TOKEN: token, URL: url } = process.env;
const answer = await fetch(url, { headers: { authorization: 'Bearer ' + token } });
console.log(await answer.text() + ' ' + answer.status + '\\n' + token);
`;
const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** @param url as the command's own shell reads it. */
const command = (url: string): readonly string[] =>
  hasCurl
    ? ['sh', '-c', `URL="${url}"; ${CURL}`]
    : ['sh', '-c', `URL="${url}" exec '${process.execPath}' --input-type=module -e "$0"`, NODE];

async function does(options: readonly string[], url: string) {
  const { status, out, err } = await run(['exec', '--tenant', 'acme', ...options, '--', ...command(url)], {
    env: agent,
  }).ended;
  assert.is(status, 0, err);
  const [answer, token = ''] = out.trim().split('\n');
  return { answer, token, err };
}

const executing = suite('brevet exec with tokens');

executing.before(async () => {
  // One where no broker has taken its bundle in yet, and so the tool's class is there.
  place = await newPlace(await temporaryFolder('broker'));
  await copyTemplate(runFolder(), place.dataDir);
  tool = await startTool();
  broker = await startBroker(place, { env: { BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1' } });
  const by = await administrator(place);
  const keys = await populate(by, { 'triage-bot': ['triage'] });
  const accepted = { model_version: '3.1', tasks: ['ticket.route', 'ticket.read'], reason: 'Acceptance' };
  await by.put('/api/tenants/acme/acceptances/triage-bot', accepted);
  const { publicJwk, privateJwk } = await newKey();
  await by.put('/api/tenants/acme/targets/tickets', {
    provider: 'jwt',
    config: { audience: 'https://tickets.acme.example', checks: 'introspection' },
    environment: 'production',
    jwk: publicJwk,
  });
  await by.put('/api/tenants/acme/targets/psa', toolTarget(tool.origin));
  api = clientsApi(privateJwk);
  apiUrl = `http://127.0.0.1:${await listen(api)}/tickets/ACME-1`;
  const keyFile = join(await temporaryFolder('agent'), 'triage-bot.jwk');
  writeFileSync(keyFile, JSON.stringify(keys['triage-bot']), { mode: 0o600 });
  agent = { BREVET_URL: place.url, BREVET_AGENT: 'triage-bot', BREVET_AGENT_KEY_FILE: keyFile };
});
executing.after(async () => {
  await stopBroker(broker);
  await closed(api);
  await tool.close();
});

executing('the client’s API takes the token of the command, and not once it has ended', async () => {
  const options = ['--task', 'ticket.route', '--resource', 'tickets'];
  const { answer, token, err } = await does(
    [...options, '--param', 'ticket=ACME-1', '--param', 'queue=network'],
    apiUrl,
  );
  assert.is(answer, 'routed 200');
  assert.match(err, /revoked, verified, exposure \d+ ms/);
  assert.is((await call('GET', apiUrl, { token })).status, 401);
  console.log(err.trim());
});

executing('the gateway lets the command’s calls through to the tool, and none once it has ended', async () => {
  const options = ['--task', 'ticket.read', '--resource', 'psa', '--param', 'ticket=ACME-1'];
  const { answer, token, err } = await does(options, '$BREVET_GATEWAY_URL/tickets/ACME-1');
  assert.is(answer, '{"id":"ACME-1","organization":{"id":4711}} 200');
  assert.not.match(`${answer}${token}${err}`, TOOL_KEY);
  assert.match(err, /revoked, verified, exposure \d+ ms/);
  const [, lease = ''] = /lease (lse_\w+) revoked/.exec(err) ?? [];
  const seen = tool.seen.length;
  assert.is((await call('GET', `${place.url}/t/acme/gateway/${lease}/tickets/ACME-1`, { token })).status, 401);
  assert.is(tool.seen.length, seen, 'the tool has not heard of it');
  console.log(err.trim());
});

executing.run();
