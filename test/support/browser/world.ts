/**
 * A console as people have it: a broker process, the MSP's identity provider, chromium, and people with accounts: ada,
 * alan and anna administer the deployment, paula approves at acme and birch, otto oversees both, and mallory has an
 * account at the identity provider alone.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { administrator, newPlace, startBroker, stopBroker } from '../../acceptance/broker.ts';
import type { Administrator, Place, Process } from '../../acceptance/broker.ts';
import { launchBrowser } from './chromium.ts';
import { CLIENT, CLIENT_SECRET, startSignInIssuer } from './issuer.ts';
import type { SignInIssuer } from './issuer.ts';

export interface ConsoleWorld {
  readonly place: Place;
  readonly issuer: SignInIssuer;
  readonly browser: Browser;
  /** With a local token of ada's: in set-up it can do what takes two. */
  readonly ada: Administrator;
  /** A browser of its own, as if on another machine, with an authenticator built in. */
  visitor(options?: Visiting): Promise<Page>;
  close(): Promise<void>;
}

export interface Visiting {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly scripts?: boolean;
}

export const ADMINISTRATORS = ['ada', 'alan', 'anna'] as const;
const NAMES: Readonly<Record<string, string>> = {
  ada: 'Ada Lovelace',
  alan: 'Alan Turing',
  anna: 'Anna Freud',
  paula: 'Paula Modersohn',
  otto: 'Otto Neurath',
};

/** @param env more of its settings. */
export async function startConsole(env: Readonly<Record<string, string>> = {}): Promise<ConsoleWorld> {
  const place = await newPlace();
  const issuer = await startSignInIssuer(place.url);
  const secret = join(place.dataDir, '..', 'client-secret');
  mkdirSync(join(place.dataDir, '..'), { recursive: true });
  writeFileSync(secret, CLIENT_SECRET, { mode: 0o600 });
  const running = await startBroker(place, {
    env: {
      BREVET_OPERATOR_ISSUER: issuer.url,
      BREVET_OPERATOR_CLIENT_ID: CLIENT,
      BREVET_OPERATOR_CLIENT_SECRET_FILE: secret,
      BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
      ...env,
    },
  });
  const browser = await launchBrowser();
  const ada = await administrator(place);
  await populateConsole(ada, issuer);
  return {
    place,
    issuer,
    browser,
    ada,
    visitor: (options) => newVisitor(browser, place, options),
    close: () => closeAll({ browser, running, issuer }),
  };
}

async function closeAll(all: { browser: Browser; running: Process; issuer: SignInIssuer }): Promise<void> {
  await all.browser.close();
  await stopBroker(all.running);
  await all.issuer.stop();
}

/** A person with an account at the identity provider. */
export async function addPerson(
  { ada, issuer: { url: issuer, subjectOf } }: Pick<ConsoleWorld, 'ada' | 'issuer'>,
  name: string,
  display_name: string,
): Promise<void> {
  await ada.put(`/api/people/${name}`, { display_name });
  await ada.put(`/api/operators/${name}`, { person: name, issuer, subject: subjectOf(name) });
}

async function populateConsole(by: Administrator, issuer: SignInIssuer): Promise<void> {
  await by.put('/api/vendors/in-house', { trains_on_client_data: false, retention_days: 0 });
  for (const [tenant, display_name] of [
    ['acme', 'Acme Retail'],
    ['birch', 'Birch Dental'],
  ] as const) {
    await by.put(`/api/tenants/${tenant}`, { display_name });
  }
  for (const [name, displayName] of Object.entries(NAMES)) await addPerson({ ada: by, issuer }, name, displayName);
  for (const person of ['alan', 'anna']) await by.assign({ tenant: null, holder: { person }, role: 'administrator' });
  for (const tenant of ['acme', 'birch']) {
    await by.assign({ tenant, holder: { person: 'otto' }, role: 'overseer' });
    await by.assign({ tenant, holder: { person: 'paula' }, role: 'approver' });
  }
}

export async function newVisitor(browser: Browser, place: Pick<Place, 'url'>, visiting: Visiting = {}): Promise<Page> {
  const { width = 1280, height = 800, theme = 'light', scripts = true } = visiting;
  const context = await browser.newContext({
    baseURL: place.url,
    viewport: { width, height },
    colorScheme: theme,
    javaScriptEnabled: scripts,
    // A picture in the middle of a change of colours shows neither.
    reducedMotion: 'reduce',
  });
  // Nothing waits for ever: a test that hangs says where.
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  await addAuthenticator(context, page);
  return page;
}

/** Built in, with a fingerprint reader that knows its user. */
async function addAuthenticator(context: BrowserContext, page: Page): Promise<void> {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  authenticators.set(page, { devtools, authenticatorId });
}

type DevTools = Awaited<ReturnType<BrowserContext['newCDPSession']>>;
const authenticators = new WeakMap<Page, { readonly devtools: DevTools; readonly authenticatorId: string }>();

/** Whether the finger on the reader is its owner's. */
export async function setVerified(page: Page, isUserVerified: boolean): Promise<void> {
  const { devtools, authenticatorId } = authenticators.get(page) ?? fail('a page without an authenticator');
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
}

const fail = (why: string): never => {
  throw new Error(why);
};

/** At the identity provider, as anyone there. Ends where `path` leads. */
export async function signIn(page: Page, person: string, path = '/'): Promise<void> {
  await page.goto(`/sign-in?return_to=${encodeURIComponent(path)}`);
  await page.getByRole('link', { name: /^Continue at/ }).click();
  await atIssuer(page, person);
}

/** Types the account in, where the browser was led to the identity provider. */
export async function atIssuer(page: Page, person: string): Promise<void> {
  await page.waitForURL(/\/interaction\//);
  await page.getByLabel('Account').fill(person);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.hostname === 'localhost');
}

/** Of who is signed in there; they sign in again for it. Whether it works at once is told by the page. */
export async function enrol(page: Page, person: string, label = 'work laptop'): Promise<void> {
  await page.goto('/account/passkeys/new');
  if (page.url().includes('/sign-in')) {
    await page.getByRole('link', { name: /^Continue at/ }).click();
    await atIssuer(page, person);
  }
  await page.getByLabel('What you call it').fill(label);
  await page.getByRole('button', { name: 'Enrol' }).click();
  await page.waitForURL(/\/account\?done=passkey-/);
}

/** Confirms all that waits for the one who is signed in there. */
export async function confirmAll(page: Page): Promise<void> {
  for (;;) {
    await page.goto('/changes');
    const waiting = page.getByRole('listitem').filter({ hasText: 'waits for you' }).getByRole('link').first();
    if ((await waiting.count()) === 0) return;
    await waiting.click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.waitForURL(/done=confirmed/);
    await pause(0);
  }
}
