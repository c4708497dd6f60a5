/** Brevet's own token at a Vault: what it holds ends what has to be ended for as long as it lives. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import { after, instant, seconds } from '../../../src/core/time.ts';
import { VaultRefusal } from '../../../src/providers/vault/client.ts';
import type { Vault } from '../../../src/providers/vault/client.ts';
import { configOf, parseVaultConfig } from '../../../src/providers/vault/config.ts';
import { openSession } from '../../../src/providers/vault/session.ts';
import { GOOD } from './target.ts';

const BEGAN = instant(Date.parse('2026-11-28T09:00:00Z'));
const TTL = 100;

/** A Vault that lets in, and renews, for as long as it is told to; each token has its number. */
function vaultWith(state: { letsIn: boolean; renews: boolean; health?: JsonObject }) {
  let given = 0;
  const refuse = (what: string) => Promise.reject(new VaultRefusal(what, 400));
  const auth = () => ({ auth: { client_token: `hvs.${(given += 1)}`, lease_duration: TTL, renewable: true } });
  const vault: Vault = {
    read: () => Promise.resolve({ cluster_id: GOOD.cluster_id, sealed: false, server_time_utc: 0, ...state.health }),
    list: () => Promise.resolve([]),
    remove: () => Promise.resolve(),
    write: (_token, path) => {
      if (path.endsWith('/login')) return state.letsIn ? Promise.resolve(auth()) : refuse(path);
      return state.renews ? Promise.resolve(auth()) : refuse(path);
    },
  };
  return vault;
}

/** @param onShown told when the sign-in's secret is shown. */
function sessionWith(state: Parameters<typeof vaultWith>[0], onShown = (): unknown => undefined) {
  const parsed = parseVaultConfig(GOOD, false);
  if (!parsed.ok) throw new Error(parsed.error.detail);
  let now = BEGAN;
  const login = () => {
    onShown();
    return Promise.resolve({ role_id: 'x' });
  };
  const session = openSession(vaultWith(state), configOf(parsed.value), login, () => now);
  /** The token that a call is made with, so many seconds after the first. */
  return (later: number): Promise<string> => {
    now = after(BEGAN, seconds(later));
    return session.ask((token) => Promise.resolve(token.reveal()));
  };
}

const sessions = suite('a session at a Vault');

sessions('is renewed after half of its life, and signed in for anew where it cannot be', async () => {
  const state = { letsIn: true, renews: true };
  const tokenAt = sessionWith(state);
  assert.is(await tokenAt(0), 'hvs.1');
  assert.is(await tokenAt(49), 'hvs.1');
  assert.is(await tokenAt(51), 'hvs.1', 'its renewal keeps its name');
  state.renews = false;
  assert.is(await tokenAt(120), 'hvs.3');
});

sessions('that can be had no more is used to its end, and asked for in vain meanwhile', async () => {
  const state = { letsIn: true, renews: true };
  const tokenAt = sessionWith(state);
  assert.is(await tokenAt(0), 'hvs.1');
  Object.assign(state, { letsIn: false, renews: false });
  assert.is(await tokenAt(60), 'hvs.1');
  assert.is(await tokenAt(99), 'hvs.1');
  state.letsIn = true;
  assert.is(await tokenAt(99), 'hvs.1', 'a moment after the last try');
  state.letsIn = false;
  assert.instance(await tokenAt(101).catch((fault: unknown) => fault), ProviderUnavailable);
  state.letsIn = true;
  assert.is(await tokenAt(102), 'hvs.2');
});

for (const [what, health, why] of [
  ['another cluster than the one that is meant', { cluster_id: 'another' }, 'another cluster answers'],
  ['one that is sealed', { sealed: true }, 'Vault is sealed'],
  ['one that reads what was written a while ago', { performance_standby: true }, 'a performance standby answers'],
] as const) {
  sessions(`is not asked for at ${what}, which gets no secret`, async () => {
    let shown = false;
    const fault = await sessionWith({ letsIn: true, renews: true, health }, () => (shown = true))(0).catch(String);
    assert.match(fault, why);
    assert.is(shown, false);
  });
}

sessions.run();
