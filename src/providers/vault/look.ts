/**
 * Looks whether a token is dead, with all that was read with it: at Vault for the token, its role and the leases under
 * the lease's own paths, and in each database for roles and open sessions. What has no lease cannot be looked at.
 */
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Sighting, Subject } from '../../core/provider.ts';
import { isAbsence } from './client.ts';
import { lookedInto, placeOf } from './config.ts';
import type { NodeView } from './database.ts';
import { databasesOf, ownRolesOf, tokensOf } from './end.ts';
import { holderOf } from './fence.ts';
import { healthOf } from './session.ts';
import type { Site } from './site.ts';
import { referenceOf, tokenOf } from './specification.ts';
import type { OwnRole, SpecifiedRead } from './specification.ts';

/**
 * A request that Vault has let in, or a backend that has checked its role, and that is not yet to be seen, is overlooked
 * by one look. Both are there in a few milliseconds.
 */
const LOOK_AGAIN_MS = 25;

/** What Vault says of one lease. */
interface VaultView {
  /** `null`: there is none by its accessor, or none was written down. */
  readonly token: { readonly uses: number } | null;
  /** Tokens that were made through the lease's token role. */
  readonly tokens: number;
  readonly role: 'none' | 'fence' | 'role';
  readonly own: readonly OwnRole[];
  /** Ids of the leases of what was read at engines. */
  readonly leases: readonly string[];
}

export interface View {
  readonly vault: VaultView;
  /** By `{mount}/{connection}`. */
  readonly databases: readonly {
    readonly place: string;
    readonly server: string;
    readonly nodes: readonly (NodeView | string)[];
  }[];
}

export async function lookTwice(site: Site, subject: Subject): Promise<Sighting> {
  const first = await look(site, subject);
  // One that cannot be proven is only called so after both.
  if (first.seen === 'present' || (first.seen === 'unseen' && !first.forGood)) return first;
  await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  return look(site, subject);
}

async function look(site: Site, subject: Subject): Promise<Sighting> {
  try {
    return judge(site, subject, await viewOf(site, subject));
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return unseen(fault.message);
    throw fault;
  }
}

/** Databases after Vault: a login that Vault says is dropped had its last session before that. */
export async function viewOf(site: Site, subject: Subject): Promise<View> {
  const { mark } = subject;
  await healthOf(site.vault, site.config);
  const own = await ownRolesOf(site, subject);
  const [token, tokens, role, leases] = await Promise.all([
    tokenAt(site, referenceOf(subject.reference)?.accessor),
    site.session.ask((as) => site.vault.list(as, `sys/leases/lookup/${tokensOf(site, mark)}`)),
    holderOf(site, mark),
    Promise.all(own.map((one) => leasesOf(site, one))),
  ]);
  const databases = await Promise.all(
    databasesOf(site, subject).map(async (database) => ({
      place: placeOf(database.at),
      server: database.at.system_identifier,
      nodes: await database.look(mark),
    })),
  );
  return { vault: { token, tokens: tokens.length, role, own, leases: leases.flat() }, databases };
}

const ownToken = z.object({ data: z.object({ num_uses: z.int() }) });

async function tokenAt(site: Site, accessor: string | undefined): Promise<VaultView['token']> {
  if (accessor === undefined) return null;
  try {
    const path = 'auth/token/lookup-accessor';
    const said = ownToken.parse(await site.session.ask((as) => site.vault.write(as, path, { accessor })));
    return { uses: said.data.num_uses };
  } catch (fault) {
    if (isAbsence(fault)) return null;
    throw fault instanceof z.ZodError ? new ProviderUnavailable('Vault described a token in another form') : fault;
  }
}

async function leasesOf(site: Site, { mount, name }: OwnRole): Promise<readonly string[]> {
  const path = `${mount}/creds/${name}`;
  const keys = await site.session.ask((as) => site.vault.list(as, `sys/leases/lookup/${path}`));
  return keys.map((key) => `${path}/${key}`);
}

const unseen = (why: string, forGood = false): Sighting => ({ seen: 'unseen', why, forGood });

function judge(site: Site, subject: Subject, view: View): Sighting {
  const { vault, databases } = view;
  const nodes = databases.flatMap((database) =>
    database.nodes.flatMap((node) => (typeof node === 'string' ? [] : [{ ...node, expected: database.server }])),
  );
  const strangers = nodes.filter(({ server, expected }) => server !== expected);
  if (strangers.length > 0) return unseen(`another server answers at ${strangers.map(({ node }) => node).join(', ')}`);
  if (isAlive(subject, vault) || nodes.some(isOccupied))
    return { seen: 'present', evidence: evidenceOf(site, subject, view) };
  const blind = databases.flatMap((database) => database.nodes.filter((node) => typeof node === 'string'));
  if (blind.length > 0) return unseen(`not every node could be looked at: ${blind.join('; ')}`);
  return unproven(site, subject, view) ?? { seen: 'gone', evidence: evidenceOf(site, subject, view) };
}

/** A role through which a token could be made is taken for one, unless a mint that was written down has made it. */
const isAlive = ({ reference }: Subject, { token, tokens, role, leases }: VaultView): boolean =>
  token !== null || tokens > 0 || leases.length > 0 || (role === 'role' && reference === null);

const isOccupied = ({ roles, sessions, strays, prepared }: NodeView): boolean =>
  roles.length > 0 || sessions > 0 || strays > 0 || prepared > 0;

/** Everything has been ended that could be: is there something that nobody can look at? */
function unproven(site: Site, { specification }: Subject, { databases }: View): Sighting | null {
  const lasting = specification === null ? null : whatOutlives(site, tokenOf(specification).reads);
  if (lasting !== null) return unseen(`the token is gone, and ${lasting}`, true);
  for (const { place, nodes } of databases) {
    const seen = nodes.filter((node) => typeof node !== 'string');
    if (seen.filter(({ standby }) => !standby).length !== 1)
      return unseen(`${place}: not exactly one node takes writes`);
    const followers = seen.reduce((sum, node) => sum + node.followers, 0);
    const named = seen.filter(({ following }) => following).length;
    if (followers > named) {
      // One that is named, and has lost its way to the one that takes writes, is not told from one that is not.
      const isForGood = seen.every(({ standby, following }) => !standby || following);
      return unseen(`${place}: ${followers - named} of the nodes that follow are not named`, isForGood);
    }
  }
  return null;
}

/** What of these reads outlives the token and cannot be looked at, in words; `null`: nothing does. */
export function whatOutlives(
  { config }: Pick<Site, 'config'>,
  reads: readonly (Pick<Extract<SpecifiedRead, { engine: 'database' }>, 'engine' | 'mount' | 'role'> | PathRead)[],
): string | null {
  for (const read of reads) {
    if (read.engine !== 'database') return OUTLIVES[read.engine];
    if (lookedInto(config, read) === null) return 'Brevet may not look into the database where its login was made';
  }
  return null;
}

type PathRead = Exclude<SpecifiedRead, { engine: 'database' }>;

const OUTLIVES: Readonly<Record<PathRead['engine'], string>> = {
  kv: 'a value that was read with it may be known',
  pki: 'a certificate that was issued with it is good until its own end',
  transit: 'a key that was exported with it, or what was decrypted, may be known',
  aws: 'a session that was made with it is good until its own end, whatever Vault says',
  other: 'Brevet cannot look at what was read with it',
};

function evidenceOf({ config }: Site, { specification }: Subject, { vault, databases }: View): JsonObject {
  return {
    by: 'accessor, token lease, engine leases, and role catalog and session list of every named node, twice',
    cluster_id: config.cluster_id,
    token: vault.token === null && vault.tokens === 0 ? 'none' : 'alive',
    token_role: vault.role,
    engine_leases: vault.leases.length,
    ...(vault.role === 'fence' && { fenced: true }),
    ...(specification === null && { what_was_read: 'unknown' }),
    databases: databases.map(({ place, server, nodes }) => ({
      place,
      system_identifier: server,
      nodes: nodes.flatMap((node) =>
        typeof node === 'string'
          ? []
          : [
              {
                node: node.node,
                standby: node.standby,
                logins: node.roles.length,
                sessions: node.sessions,
                sessions_of_dropped_logins: node.strays,
                prepared: node.prepared,
              },
            ],
      ),
    })),
  };
}
