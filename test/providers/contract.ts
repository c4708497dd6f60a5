/**
 * What every provider must do, whatever its credentials are: the same cases over each, through a harness that knows
 * how its credentials are used.
 */
import { inspect } from 'node:util';
import type { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../src/core/provider.ts';
import type { Minted, MintOrder, MintTerms, OpenTarget, Provider, Sighting, Subject } from '../../src/core/provider.ts';
import { Secret } from '../../src/core/secret.ts';
import { after, seconds } from '../../src/core/time.ts';
import { EXTERNAL_ID, orderFor, processClock, subjectOf } from '../support/target.ts';

export interface Harness {
  readonly provider: Provider;
  readonly target: OpenTarget;
  readonly terms: MintTerms;
  /** It lists nothing, and can't see what became of a credential whose secret was lost: that ends by its expiry. */
  readonly blind?: true;
  /** Whether the credential, used afresh, does what its task is. */
  use(credential: Minted['credential']): Promise<boolean>;
  /** Whether it does what is not its task. */
  overstep(credential: Minted['credential']): Promise<boolean>;
  /** Begins a use that goes on; tells whether it still works. */
  hold(credential: Minted['credential']): Promise<() => Promise<boolean>>;
  /** Its provider has nothing to look at: the commit of the revocation is the death. */
  readonly diesByCommit?: boolean;
  /** What ends a local credential is Brevet's own commit; for others, nothing. */
  commitRevocation(subject: Subject): void;
  /** Through this a bad day comes over the provider. */
  readonly network: {
    stall(): Promise<void>;
    cut(): Promise<void>;
    repoint(): Promise<void>;
    restore(): Promise<void>;
  };
  close(): Promise<void>;
}

interface Issued {
  readonly order: MintOrder;
  readonly minted: Minted;
  readonly subject: Subject;
}

async function issueWith(harness: Harness, more: Partial<MintOrder> = {}): Promise<Issued> {
  const order = orderFor(harness.provider, harness.target, harness.terms, more);
  const minted = await harness.provider.mint(order, harness.target);
  return { order, minted, subject: subjectOf(order, { reference: minted.reference, secret: minted.keep }) };
}

async function revokeWith(harness: Harness, subject: Subject): Promise<void> {
  harness.commitRevocation(subject);
  if (harness.provider.where === 'remote') await harness.provider.revoke(subject, harness.target);
}

const secretsOf = ({ credential, keep }: Minted): readonly Secret[] =>
  [...Object.values(credential), keep].filter((value) => value instanceof Secret);

type Contract = ReturnType<typeof suite>;

/** Adds the cases to a suite, which its file runs. @param open makes a harness once, for all of them. */
export function providerContract(contract: Contract, open: () => Promise<Harness>): void {
  let harness: Harness;
  contract.before(async () => {
    harness = await open();
  });
  contract.after(() => harness.close());
  contract.after.each(() => harness.network.restore());

  const look = (subject: Subject): Promise<Sighting> => harness.provider.look(subject, harness.target);
  const seen = async (subject: Subject) => (await look(subject)).seen;
  const seenNoMore = async (lost: Subject): Promise<void> => {
    const sighting = await look(lost);
    assert.is(sighting.seen, harness.blind ? 'unseen' : 'gone');
    if (sighting.seen === 'unseen') assert.is(sighting.forGood, true);
  };

  contract('specifies the same for the same terms, with placeholders for what is not known yet', () => {
    const twice = [1, 2].map(() => harness.provider.specify(harness.terms, harness.target.version));
    assert.equal(twice[0], twice[1]);
    assert.match(JSON.stringify(twice[0]), /\{expires_at\}/);
  });

  contract('issues what works for its task, and for nothing else', async () => {
    const { minted, subject } = await issueWith(harness);
    assert.is(await harness.use(minted.credential), true);
    assert.is(await harness.overstep(minted.credential), false);
    await revokeWith(harness, subject);
  });

  contract('shows a secret only where it is revealed', async () => {
    const { minted, order, subject } = await issueWith(harness);
    const secrets = secretsOf(minted);
    assert.ok(secrets.length > 0);
    const shown = [inspect(minted, { depth: 9 }), JSON.stringify(minted), JSON.stringify(order)].join('\n');
    for (const secret of secrets) assert.not(shown.includes(secret.reveal()));
    await revokeWith(harness, subject);
  });

  contract('revokes at once, also what is in the middle of its use, and sees it dead', async () => {
    const { minted, subject } = await issueWith(harness);
    const held = await harness.hold(minted.credential);
    assert.is(await held(), true);
    if (harness.diesByCommit !== true) assert.is(await seen(subject), 'present');
    await revokeWith(harness, subject);
    const sighting = await look(subject);
    assert.is(sighting.seen, 'gone');
    assert.ok(sighting.seen === 'gone' && Object.keys(sighting.evidence).length > 0);
    assert.is(await held(), false);
    assert.is(await harness.use(minted.credential), false);
  });

  contract('revokes again without a fault', async () => {
    const { subject } = await issueWith(harness);
    await revokeWith(harness, subject);
    await revokeWith(harness, subject);
    assert.is(await seen(subject), 'gone');
  });

  contract('ends one of two that overlap, and leaves the other', async () => {
    const [first, second] = await Promise.all([issueWith(harness), issueWith(harness)]);
    await revokeWith(harness, first.subject);
    assert.is(await seen(first.subject), 'gone');
    assert.is(await harness.use(first.minted.credential), false);
    if (harness.diesByCommit !== true) assert.is(await seen(second.subject), 'present');
    assert.is(await harness.use(second.minted.credential), true);
    await revokeWith(harness, second.subject);
  });

  contract('does not let one be used afresh after its end', async () => {
    const past = after(processClock(), seconds(-1));
    const { minted, subject } = await issueWith(harness, { expiresAt: past });
    assert.is(await harness.use(minted.credential), false);
    await revokeWith(harness, subject);
    assert.is(await seen(subject), 'gone');
  });

  contract('says neither dead nor alive while the provider does not answer, and then does', async () => {
    if (harness.diesByCommit === true) return;
    const { minted, subject } = await issueWith(harness);
    await revokeWith(harness, subject);
    for (const trouble of ['stall', 'cut'] as const) {
      await harness.network[trouble]();
      const sighting = await look(subject);
      assert.is(sighting.seen, 'unseen', trouble);
      assert.is(sighting.seen === 'unseen' && sighting.forGood, false, trouble);
      await harness.network.restore();
    }
    assert.is(await seen(subject), 'gone');
    assert.is(await harness.use(minted.credential), false);
  });

  contract('takes no other server for the one that minted', async () => {
    if (harness.diesByCommit === true) return;
    const { subject } = await issueWith(harness);
    await harness.network.repoint();
    assert.is.not(await seen(subject), 'gone');
    await harness.network.restore();
    await revokeWith(harness, subject);
    assert.is(await seen(subject), 'gone');
  });

  contract('refuses an unknown field of a target, and a template that it does not know', () => {
    const context = { tenant: harness.terms.tenant, publicUrl: 'https://brevet.example', externalId: EXTERNAL_ID };
    const odd = harness.provider.parse({ ...harness.target.version.config, surprise: 1 }, context);
    assert.is(!odd.ok && odd.error.code, 'unknown_field');
    assert.is(!odd.ok && odd.error.path, 'surprise');
    const terms = { ...harness.terms, template: { ...harness.terms.template, surprise: 1 } };
    assert.is(harness.provider.specify(terms, harness.target.version).ok, false);
  });

  contract('finds and ends what landed though its outcome was lost', async () => {
    const { provider, target } = harness;
    if (provider.where === 'local') return;
    const { minted, order } = await issueWith(harness);
    assert.is((await provider.list(target)).includes(order.mark), harness.blind !== true);
    const lost = subjectOf(order);
    await provider.fence(lost, target);
    assert.is(await seen(lost), harness.blind ? 'unseen' : 'present');
    await provider.revoke(lost, target);
    await seenNoMore(lost);
    assert.is(await harness.use(minted.credential), false);
    assert.not((await provider.list(target)).includes(order.mark));
  });

  contract('lets no late mint land behind a fence, nor after its deadline', async () => {
    const { provider, target } = harness;
    if (provider.where === 'local') return;
    const fenced = orderFor(provider, target, harness.terms);
    await provider.fence(subjectOf(fenced), target);
    await provider.fence(subjectOf(fenced), target);
    await refused(() => provider.mint(fenced, target));
    await seenNoMore(subjectOf(fenced));
    await provider.unfence(subjectOf(fenced), target);
    const late = orderFor(provider, target, harness.terms, { deadline: after(processClock(), seconds(-1)) });
    await refused(() => provider.mint(late, target));
    assert.equal(await provider.list(target), []);
  });

  contract('calls what time may heal unavailable, within bounds and without a secret', async () => {
    const { provider, target, network } = harness;
    if (provider.where === 'local') return;
    for (const trouble of ['stall', 'cut', 'repoint'] as const) {
      await network[trouble]();
      const order = orderFor(provider, target, harness.terms);
      const faults = await Promise.all([
        refused(() => provider.mint(order, target)),
        refused(() => provider.revoke(subjectOf(order), target)),
        refused(() => provider.fence(subjectOf(order), target)),
      ]);
      const shown = inspect(faults, { depth: 9, showHidden: true });
      assert.not(shown.includes(target.secret?.reveal() ?? 'no secret'), trouble);
      await network.restore();
    }
    const again = await issueWith(harness);
    assert.is(await harness.use(again.minted.credential), true);
    await revokeWith(harness, again.subject);
  });
}

async function refused(call: () => Promise<unknown>): Promise<unknown> {
  const fault = await call().then(
    () => null,
    (caught: unknown) => caught,
  );
  assert.instance(fault, ProviderUnavailable);
  return fault;
}
