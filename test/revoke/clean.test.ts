/** What a death leaves at a provider, and when nothing more is to be done there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Declared, Lease } from '../../src/core/lease.ts';
import type { RemoteProvider, Sighting } from '../../src/core/provider.ts';
import { seconds } from '../../src/core/time.ts';
import { clean } from '../../src/revoke/clean.ts';
import { must, PERMITTED, testApp } from '../support/app.ts';

const app = await testApp();

/** A fake: it sees this, whatever is done. */
const seeing = (sighting: Sighting): RemoteProvider =>
  ({
    where: 'remote',
    unfence: async () => undefined,
    revoke: async () => undefined,
    look: async () => sighting,
  }) as unknown as RemoteProvider;

const DECLARED: Declared = {
  revokes: { within: seconds(1) },
  evidence: 'looking',
  expiryEndsUse: true,
  countsUses: false,
  seesUse: false,
  keepsSecret: true,
};

async function lease(): Promise<Lease> {
  const { body } = must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body: PERMITTED }));
  const found = await app.deps.store.lease('acme' as Lease['tenant'], (body['lease'] as { id: Lease['id'] }).id);
  assert.ok(found !== null);
  return { ...found, provider: 'aws', declared: DECLARED };
}

const over = async (sighting: Sighting, declared = DECLARED): Promise<boolean> => {
  const deps = { ...app.deps, providers: new Map([['aws' as const, seeing(sighting)]]) };
  return (await clean(deps, { ...(await lease()), declared })).dead;
};

const cleaning = suite('cleaning up after a death');
cleaning.after(() => app.close());

const unseen = (forGood: boolean): Sighting => ({ seen: 'unseen', why: 'a test', forGood });

const CASES: readonly (readonly [what: string, sighting: Sighting, declared: Declared, over: boolean])[] = [
  ['where nothing is left', { seen: 'gone', evidence: { by: 'a test' } }, DECLARED, true],
  ['while something is', { seen: 'gone', evidence: { left: 'a role' } }, DECLARED, false],
  ['while it cannot be looked at for now', unseen(false), DECLARED, false],
  ['where only its secret would show more, which is gone', unseen(true), DECLARED, true],
  ['while what needs no secret is not seen', unseen(true), { ...DECLARED, keepsSecret: false }, false],
];
for (const [what, sighting, declared, ends] of CASES) {
  cleaning(`${ends ? 'is over' : 'goes on'} ${what}`, async () => assert.is(await over(sighting, declared), ends));
}

cleaning.run();
