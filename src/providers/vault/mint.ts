/**
 * Makes a token for a lease: through a token role of the lease's own, which settles the race with a fence, and with roles
 * of its own at database engines, so that what is read there can be told apart.
 *
 * Every write is made with a short-lived token that was there before the deadline had passed. So a mint that is held up
 * lands soon after its deadline or never, whatever the clocks say: until then the fence holds the role's name.
 */
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Minted, MintOrder } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import { toRfc3339 } from '../../core/time.ts';
import { lookedInto } from './config.ts';
import { nameOf, ownRoleName } from './names.ts';
import type { Site } from './site.ts';
import { databaseReadsOf, tokenOf } from './specification.ts';
import type { OwnRole, SpecifiedDatabaseRead, TokenReference, TokenSpecification } from './specification.ts';

/** A role that a lease will have of its own, and what it is made of. */
interface Planned extends OwnRole {
  readonly of: string;
  readonly body: JsonObject;
}

export async function mintToken(site: Site, order: MintOrder): Promise<Minted> {
  const specified = tokenOf(order.specification);
  const planned = await Promise.all(unique(databaseReadsOf(specified)).map((read) => plan(site, order, read)));
  const token = await site.session.beginMint((by) => {
    inTime(site, order);
    return site.vault.write(by, `auth/token/roles/${nameOf(site.config.prefix, order.mark)}`, roleOf(site, order));
  });
  await Promise.all(planned.map(({ mount, name, body }) => site.vault.write(token, `${mount}/roles/${name}`, body)));
  inTime(site, order);
  const made = await create(site, order, token);
  await endIfOver(site, order, made.accessor);
  return {
    reference: referenceOf(site, made, planned),
    credential: {
      type: 'vault',
      address: specified.address,
      ...(specified.namespace !== null && { namespace: specified.namespace }),
      token: made.token,
      reads: specified.reads.map((read) => pathOf(read, planned)),
      expires_at: toRfc3339(order.expiresAt),
    },
    keep: null,
  };
}

function inTime(site: Site, { deadline }: MintOrder): void {
  if (site.clock() >= deadline) {
    throw new ProviderUnavailable(`${site.target.version.name} did not make the token: the deadline has passed`);
  }
}

const unique = (reads: readonly SpecifiedDatabaseRead[]): readonly SpecifiedDatabaseRead[] => [
  ...new Map(reads.map((read) => [`${read.mount} ${read.role}`, read])).values(),
];

const databaseRole = z.object({
  data: z.object({
    db_name: z.string(),
    creation_statements: z.array(z.string()),
    revocation_statements: z.array(z.string()),
    rollback_statements: z.array(z.string()),
    renew_statements: z.array(z.string()),
    credential_type: z.string().default('password'),
    credential_config: z.record(z.string(), z.string()).nullish(),
    default_ttl: z.number(),
  }),
});

/** Reads the role that the task class names: what it makes is what will be made. */
async function plan(site: Site, order: MintOrder, { mount, role }: SpecifiedDatabaseRead): Promise<Planned> {
  const said = databaseRole.safeParse(
    await site.session.ask((token) => site.vault.read(token, `${mount}/roles/${role}`)),
  );
  if (!said.success) throw new ProviderUnavailable(`${mount}/roles/${role} is no role of a database`);
  const { data } = said.data;
  const at = lookedInto(site.config, { mount, role });
  if (at !== null && at.connection !== data.db_name) {
    throw new ProviderUnavailable(`${mount}/roles/${role} makes logins at ${data.db_name}, not at ${at.connection}`);
  }
  const ttl = secondsLeft(site, order);
  const own = data.default_ttl === 0 ? ttl : Math.min(data.default_ttl, ttl);
  return {
    mount,
    of: role,
    name: ownRoleName(site.config.prefix, order.mark, site.random),
    body: {
      db_name: data.db_name,
      creation_statements: [...data.creation_statements, ...(at === null ? [] : [commentOf(order)])],
      revocation_statements: data.revocation_statements,
      rollback_statements: data.rollback_statements,
      renew_statements: data.renew_statements,
      credential_type: data.credential_type,
      ...(data.credential_config && { credential_config: data.credential_config }),
      default_ttl: `${own}s`,
      max_ttl: `${own}s`,
    },
  };
}

/** A mark holds letters, digits and `_` alone. */
const commentOf = ({ mark }: MintOrder): string => `COMMENT ON ROLE "{{name}}" IS '${mark}';`;

/** Vault counts whole seconds, and takes 0 for its own default. */
const secondsLeft = (site: Site, { expiresAt }: MintOrder): number =>
  Math.max(1, Math.floor((expiresAt - site.clock()) / 1000));

const commas = (policies: readonly string[]): string => policies.join(',');

/** Brevet's policy may name each value that a role can have: lists go as lists, so that each member is looked at. */
function roleOf(site: Site, order: MintOrder): JsonObject {
  const { policies, token } = tokenOf(order.specification);
  return {
    allowed_policies: policies,
    orphan: true,
    renewable: false,
    token_type: 'service',
    token_no_default_policy: true,
    token_explicit_max_ttl: secondsLeft(site, order),
    token_num_uses: token.num_uses,
  };
}

const created = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    accessor: z.string().min(1),
    orphan: z.literal(true),
    entity_id: z.literal(''),
    policies: z.array(z.string()),
  }),
});

interface Made {
  readonly token: Secret;
  readonly accessor: string;
}

async function create(site: Site, order: MintOrder, by: Secret): Promise<Made> {
  const { policies, metadata, token } = tokenOf(order.specification);
  const ttl = `${secondsLeft(site, order)}s`;
  const answer = await site.vault.write(by, `auth/token/create/${nameOf(site.config.prefix, order.mark)}`, {
    policies,
    meta: metadataOf(metadata, order),
    display_name: order.mark,
    no_default_policy: true,
    renewable: false,
    ttl,
    explicit_max_ttl: ttl,
    num_uses: token.num_uses,
  });
  const said = created.safeParse(answer);
  // Nobody has it: the reconciler ends what there is.
  if (!said.success || commas(said.data.auth.policies.toSorted()) !== commas([...new Set(policies)].toSorted())) {
    throw new ProviderUnavailable('Vault made another token than was asked for');
  }
  return { token: new Secret(said.data.auth.client_token), accessor: said.data.auth.accessor };
}

const metadataOf = (metadata: TokenSpecification['metadata'], { lease, mark }: MintOrder) => ({
  ...metadata,
  brevet_lease: lease,
  brevet_mark: mark,
});

/** Vault's shortest life is a second: what is over already is ended with its making. */
async function endIfOver(site: Site, { expiresAt }: MintOrder, accessor: string): Promise<void> {
  if (site.clock() < expiresAt) return;
  await site.session.ask((token) => site.vault.write(token, 'auth/token/revoke-accessor', { accessor }));
}

function referenceOf(site: Site, { accessor }: Made, planned: readonly Planned[]): TokenReference & JsonObject {
  return {
    cluster_id: site.config.cluster_id,
    accessor,
    own_roles: planned.map(({ mount, name }) => ({ mount, name })),
  };
}

function pathOf(read: TokenSpecification['reads'][number], planned: readonly Planned[]): string {
  if (read.engine !== 'database') return read.path;
  const own = planned.find(({ mount, of }) => mount === read.mount && of === read.role);
  if (own === undefined) throw new Error('a read without its role');
  return `${own.mount}/creds/${own.name}`;
}
