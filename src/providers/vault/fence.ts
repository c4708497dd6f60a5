/**
 * Holds the name of a lease's token role, with one through which no token can be made, until a late mint can no longer
 * land. Brevet's policy lets it create a role and never change one, so that whoever writes first has the name: a mint
 * that comes later is refused. One that is past Vault's check already is found by the look at what was written.
 */
import { z } from 'zod';
import type { Mark } from '../../core/lease.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Subject } from '../../core/provider.ts';
import { DENIED, VaultRefusal } from './client.ts';
import { nameOf } from './names.ts';
import type { Site } from './site.ts';

/** Goes before every list of allowed policies, also before one that a token's maker would inherit. */
const NOTHING_ALLOWED = ['*'];
const TRIES = 3;
/** Between Vault's check and its write lie a few reads of its own storage. */
const SETTLED_MS = 25;

const tokenRole = z.object({ data: z.object({ disallowed_policies_glob: z.array(z.string()).nullable() }) });

const pathOf = (site: Site, mark: Mark): string => `auth/token/roles/${nameOf(site.config.prefix, mark)}`;

/** What holds the name: nothing, a fence, or a role that tokens can be made through. */
export async function holderOf(site: Site, mark: Mark): Promise<'none' | 'fence' | 'role'> {
  try {
    const said = tokenRole.safeParse(await site.session.ask((token) => site.vault.read(token, pathOf(site, mark))));
    if (!said.success) throw new ProviderUnavailable('Vault described a token role in another form');
    return said.data.data.disallowed_policies_glob?.includes('*') === true ? 'fence' : 'role';
  } catch (fault) {
    if (fault instanceof VaultRefusal && fault.status === 404) return 'none';
    throw fault;
  }
}

/** With the role goes the way to make tokens through it; those that were made live on until they are ended. */
export const removeTokenRole = (site: Site, mark: Mark): Promise<void> =>
  site.session.ask((token) => site.vault.remove(token, pathOf(site, mark)));

export async function fence(site: Site, { mark }: Subject): Promise<void> {
  for (let left = TRIES; left > 0; left--) {
    const holder = await holderOf(site, mark);
    if (holder === 'role') await removeTokenRole(site, mark);
    if (holder !== 'fence') await raise(site, mark);
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    if ((await holderOf(site, mark)) === 'fence') return;
  }
  throw new ProviderUnavailable(`the name of ${mark} could not be held`);
}

async function raise(site: Site, mark: Mark): Promise<void> {
  const nobody = { disallowed_policies_glob: NOTHING_ALLOWED, orphan: true, token_no_default_policy: true };
  try {
    await site.session.ask((token) => site.vault.write(token, pathOf(site, mark), nobody));
  } catch (fault) {
    // A mint, or another fence, was there meanwhile: the next look tells.
    if (!(fault instanceof VaultRefusal && fault.status === DENIED)) throw fault;
  }
}

export async function unfence(site: Site, { mark }: Subject): Promise<void> {
  if ((await holderOf(site, mark)) === 'fence') await removeTokenRole(site, mark);
}
