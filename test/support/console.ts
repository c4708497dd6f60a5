/**
 * A browser without a screen at the console of a test's app: it keeps cookies, says where a form comes from, and has an
 * authenticator in software. What a real one does is tried in `test/browser/`.
 */
import type { Attestation } from '../../src/authenticate/passkey.ts';
import type { StoredAssertion } from '../../src/core/passkey.ts';
import type { Statement } from '../../src/core/statement.ts';
import { makeEntry } from '../../src/core/entry.ts';
import type { Deps } from '../../src/deps.ts';
import { PUBLIC_URL } from './app.ts';
import type { TestApp } from './app.ts';
import { Authenticator } from './authenticator.ts';
import type { Lies } from './authenticator.ts';
import { random } from './target.ts';

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Where it leads, if anywhere. */
  readonly to: string | null;
}

interface Sending {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
}

/** A node of a test, or whatever else answers. */
export interface Answering {
  readonly app: { request(url: URL, init: RequestInit, env: object): Response | Promise<Response> };
}

export class Surfer {
  readonly cookies = new Map<string, string>();
  readonly #node: Answering;

  readonly #origin: string;

  /** @param origin of the console, as its pages have it. */
  constructor(node: Answering, origin = PUBLIC_URL) {
    this.#node = node;
    this.#origin = origin;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Got> {
    return this.#send(path, { method: 'GET', headers });
  }

  /** As a page of the console does it, unless the headers say otherwise. */
  async post(path: string, form: Readonly<Record<string, string>>, headers: Record<string, string> = {}): Promise<Got> {
    return this.#send(path, {
      method: 'POST',
      headers: { origin: this.#origin, 'sec-fetch-site': 'same-origin', ...headers },
      body: new URLSearchParams(form),
    });
  }

  async #send(path: string, { headers: given, ...init }: Sending): Promise<Got> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie === '' ? {} : { cookie }), ...given };
    const response = await this.#node.app.request(new URL(path, this.#origin), { ...init, headers }, {});
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      to: response.headers.get('location'),
    };
  }

  #keep(line: string): void {
    const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
    if (/max-age=0/i.test(line) || value === '') this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&quot;': '"',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&#39;': "'",
};
const plain = (text: string): string => text.replace(/&(?:quot|amp|lt|gt|#39);/g, (one) => ENTITIES[one] ?? one);

/** What stands in the fields of the form with this action: of its boxes, in those that are ticked. */
export function formOn({ text }: Got, action: string): Record<string, string> {
  const at = text.indexOf(`action="${action}"`);
  if (at < 0) throw new Error(`no form ${action} on the page: ${text}`);
  const form = text.slice(at, text.indexOf('</form>', at));
  const isSent = (tag: string): boolean => !tag.includes('type="checkbox"') || /\bchecked\b/.test(tag);
  const fields = [...form.matchAll(/<input\b[^>]*>/g)].map(([tag]) => tag).filter(isSent);
  const attribute = (tag: string, name: string): string | undefined =>
    new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return Object.fromEntries(
    fields.map((tag) => [attribute(tag, 'name') ?? '', plain(attribute(tag, 'value') ?? '')] as const),
  );
}

/** What a page asks to be signed: it stands in its ticket, for whoever wants to read it. */
export const statementOn = (got: Got, action: string): Statement => {
  const [body = ''] = (formOn(got, action)['ticket'] ?? '').split('.');
  return (JSON.parse(Buffer.from(body, 'base64url').toString()) as { statement: Statement }).statement;
};

export const answer = (given: StoredAssertion | Attestation): string => JSON.stringify(given);

/** A passkey that is there already, as two persons would have made it. */
export async function givePasskey(
  app: Pick<TestApp, 'deps'>,
  person: string,
  key = new Authenticator(PUBLIC_URL),
): Promise<Authenticator> {
  const passkey = key.passkey(person, { enrolledAt: app.deps.clock() });
  const done = await app.deps.store.commit(
    {
      kind: 'register',
      change: { kind: 'passkey.put', passkey },
      work: [],
      deploymentEpoch: null,
    },
    [arranged(app.deps, { change: 'passkey.put', passkey: passkey.id })],
  );
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  app.deps.store.forget(null);
  return key;
}

const arranged = (deps: Deps, facts: Record<string, string>) =>
  makeEntry(
    {
      tenant: null,
      kind: 'register.put',
      at: deps.clock(),
      actor: { kind: 'operator', name: 'ada', person: 'ada', by: 'oidc' },
      accountable: 'ada',
      inSetup: true,
      facts,
    },
    random,
  );

/** At the sign-in page, with a passkey. */
export async function signInWith(surfer: Surfer, key: Authenticator, lies: Lies = {}): Promise<Got> {
  const page = await surfer.get('/sign-in');
  const assertion = key.sign(statementOn(page, '/sign-in/passkey'), lies);
  return surfer.post('/sign-in/passkey', { ...formOn(page, '/sign-in/passkey'), answer: answer(assertion) });
}

/** A browser in which somebody is signed in. */
export async function signedIn(node: Answering, key: Authenticator): Promise<Surfer> {
  const surfer = new Surfer(node);
  const got = await signInWith(surfer, key);
  if (got.status !== 303) throw new Error(`${got.status} ${got.text}`);
  return surfer;
}
