/**
 * What will be sent for a token: from the grant's terms and the target's version, purely.
 */
import { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { parseWith } from '../../core/parse.ts';
import { fillIn } from '../../core/placeholder.ts';
import type { JsonObject } from '../../core/canonical.ts';
import type { MintSpecification, MintTerms } from '../../core/provider.ts';
import type { TargetVersion } from '../../core/registers.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { isOwnPolicy, PATH, POLICY, ROLE, vaultTemplate } from '../../core/templates/vault.ts';
import type { VaultTemplate } from '../../core/templates/vault.ts';
import { configOf } from './config.ts';
import { segment } from './names.ts';

const databaseRead = z.object({
  engine: z.literal('database'),
  mount: z.string(),
  /** Whose statements make the login. */
  role: z.string(),
  /** The lease's own role, under which it is read. */
  own_role: z.literal('{mark}_{chance}'),
});

const pathRead = z.object({ engine: z.enum(['kv', 'pki', 'transit', 'aws', 'other']), path: z.string() });

const specification = z.object({
  provider: z.literal('vault'),
  address: z.string(),
  namespace: z.string().nullable(),
  cluster_id: z.string(),
  prefix: z.string(),
  policies: z.array(z.string()),
  reads: z.array(z.discriminatedUnion('engine', [databaseRead, pathRead])),
  token: z.object({
    type: z.literal('service'),
    orphan: z.literal(true),
    renewable: z.literal(false),
    no_default_policy: z.literal(true),
    ends: z.literal('{expires_at}'),
    num_uses: z.int(),
  }),
  metadata: z.record(z.string(), z.string()),
});

export type TokenSpecification = z.infer<typeof specification>;
export type SpecifiedRead = TokenSpecification['reads'][number];
export type SpecifiedDatabaseRead = Extract<SpecifiedRead, { engine: 'database' }>;

export function specifyToken(terms: MintTerms, target: TargetVersion): Result<MintSpecification> {
  const asked = parseWith(vaultTemplate, terms.template);
  if (!asked.ok) return asked;
  const filled = fillTemplate(asked.value, terms.parameters);
  if (filled === null) return err(UNFIT);
  const config = configOf(target.config);
  const { tenant, agent, task, request } = terms;
  return ok({
    provider: 'vault',
    address: config.address,
    namespace: config.namespace ?? null,
    cluster_id: config.cluster_id,
    prefix: config.prefix,
    ...filled,
    token: {
      type: 'service',
      orphan: true,
      renewable: false,
      no_default_policy: true,
      ends: '{expires_at}',
      num_uses: requestsFor(filled.reads, terms.uses),
    },
    metadata: { brevet_lease: '{lease}', brevet_mark: '{mark}', tenant, agent, task, request },
  } satisfies TokenSpecification);
}

const UNFIT = failure('invalid_parameters', 'a parameter cannot stand in a path or name of Vault', {
  hint: 'Use letters of a to z, digits, _ and -, and dots within, at most 128 of them.',
});

function fillTemplate(
  { policies, reads }: VaultTemplate,
  parameters: JsonObject,
): Pick<TokenSpecification, 'policies' | 'reads'> | null {
  const fill = (text: string, form: RegExp): string | null => {
    const filled = fillIn(text, parameters, segment);
    return filled !== null && form.test(filled) ? filled : null;
  };
  const named = policies.map((policy) => fill(policy, POLICY)).filter((name) => name !== null && isOwnPolicy(name));
  const read = reads.map((one) => fillRead(one, fill)).filter((one) => one !== null);
  if (named.length < policies.length || read.length < reads.length) return null;
  return { policies: named as string[], reads: read };
}

function fillRead(
  read: VaultTemplate['reads'][number],
  fill: (text: string, form: RegExp) => string | null,
): SpecifiedRead | null {
  if (read.engine === 'database') {
    const role = fill(read.role, ROLE);
    return role === null ? null : { engine: 'database', mount: read.mount, role, own_role: '{mark}_{chance}' };
  }
  const path = fill(read.path, PATH);
  return path === null ? null : { engine: read.engine, path };
}

/** What these give out has no lease. */
const UNLEASED: readonly SpecifiedRead['engine'][] = ['kv', 'transit'];

/**
 * Vault counts every request that is made with a token. One use reads each thing once. What a token reads with its last
 * request Vault takes back at once where it has a lease: so there is one to spare where something may have.
 */
function requestsFor(reads: readonly SpecifiedRead[], uses: number): number {
  return uses * reads.length + (reads.every(({ engine }) => UNLEASED.includes(engine)) ? 0 : 1);
}

/** What was specified is read back from the lease: another form is a fault. */
export const tokenOf = (specified: MintSpecification): TokenSpecification => specification.parse(specified);

export const databaseReadsOf = ({ reads }: TokenSpecification): readonly SpecifiedDatabaseRead[] =>
  reads.filter((read) => read.engine === 'database');

const reference = z.object({
  cluster_id: z.string(),
  /** By which the token is looked at and ended; it opens nothing. */
  accessor: z.string(),
  /** The lease's own roles of database engines. */
  own_roles: z.array(z.object({ mount: z.string(), name: z.string() })),
});

export type TokenReference = z.infer<typeof reference>;
export type OwnRole = TokenReference['own_roles'][number];

/** `null`: the mint's outcome was never recorded. */
export const referenceOf = (kept: unknown): TokenReference | null => (kept === null ? null : reference.parse(kept));
