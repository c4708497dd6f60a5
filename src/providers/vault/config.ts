/**
 * A Vault or OpenBao target as an administrator writes it.
 */
import { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { isPrivateOnTheWay } from '../../core/loopback.ts';
import { parseWith } from '../../core/parse.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { MOUNT, ROLE } from '../../core/templates/vault.ts';
import { identifier, isProtected, node } from '../postgres/config.ts';

const MOST = 16;

const mount = () => z.string().max(128).regex(MOUNT, 'it must be the path of a mount');

/** A database that Brevet may look into, to see that what Vault made there is dead, and to end its sessions. */
const database = z.strictObject({
  /** The database engine's mount, and the connection under it that leads here. */
  mount: mount().default('database'),
  connection: z.string().regex(ROLE, 'it must be the name of a database connection'),
  /** Vault's roles whose logins are made here. */
  roles: z.array(z.string().regex(ROLE, 'it must be the name of a database role')).min(1).max(64),
  /** Every node of the cluster: a session on one that is not named would live on unseen. */
  nodes: z.array(node).min(1).max(16),
  database: identifier(),
  /** Reads the list of sessions and ends them. Its password is in the target's secret. */
  login: identifier(),
  /** `SELECT system_identifier FROM pg_control_system()`: "not found" counts only from this server. */
  system_identifier: z.string().regex(/^\d{1,20}$/, 'it must be the number from pg_control_system()'),
  tls: z.enum(['verify', 'off']).default('verify'),
  ca: z.string().max(32_768).optional(),
});

const schema = z.strictObject({
  /** Without a path. */
  address: z
    .url({ protocol: /^https?$/ })
    .max(512)
    .refine((text) => /^https?:\/\/[^/?#@]+\/?$/.test(text), 'it must be scheme, host and port alone'),
  /** Where the server has them (Vault Enterprise, OpenBao). */
  namespace: mount().optional(),
  /** From `sys/health`: "not found" counts only from this cluster. */
  cluster_id: z.guid(),
  /** Certificates that are trusted instead of the public ones, in PEM. */
  ca: z.string().max(32_768).optional(),
  auth: z.discriminatedUnion('method', [
    z.strictObject({
      method: z.literal('approle'),
      mount: mount().default('approle'),
      role_id: z.string().min(1).max(256),
    }),
    z.strictObject({
      method: z.literal('jwt'),
      mount: mount().default('jwt'),
      role: z.string().regex(ROLE),
      /** `brevet`: signed anew at each sign-in with the tenant's own key; `another`: the target's secret, as it was given. */
      signed_by: z.enum(['another', 'brevet']).default('another'),
    }),
  ]),
  /**
   * What the names of this target's token roles and database roles begin with. It keeps this target's tokens apart from
   * those of another at the same Vault, and Brevet's policy there names it.
   */
  prefix: z.string().regex(/^brevet-[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'it must be brevet- and a name'),
  looks_into: z.array(database).max(MOST).default([]),
});

export type VaultConfig = z.infer<typeof schema>;
export type LookedInto = VaultConfig['looks_into'][number];

export function parseVaultConfig(written: unknown, plaintextAnywhere: boolean): Result<VaultConfig> {
  const parsed = parseWith(schema, written);
  if (!parsed.ok) return parsed;
  const { address, looks_into } = parsed.value;
  const refuse = (path: string, what: string) => err(failure('invalid_target', what, { path }));
  if (!isPrivateOnTheWay(new URL(address)) && !plaintextAnywhere) {
    return refuse('address', 'tokens would cross a network unprotected: http is for loopback alone');
  }
  if (!plaintextAnywhere && !looks_into.every((one) => isProtected(one))) {
    return refuse('looks_into', 'a password would cross a network unprotected: use tls: verify');
  }
  const roles = looks_into.flatMap(({ mount: at, roles: own }) => own.map((role) => `${at}/${role}`));
  if (new Set(roles).size < roles.length) return refuse('looks_into', 'a role is said to make logins in two places');
  const places = looks_into.map(placeOf);
  if (new Set(places).size < places.length) return refuse('looks_into', 'a connection is named twice');
  return ok({ ...parsed.value, address: address.replace(/\/$/, '') });
}

/** What `parse` made is read back from the register: a row of another form is a fault. */
export const configOf = (config: unknown): VaultConfig => schema.parse(config);

/** By which its password is found in the target's secret. */
export const placeOf = ({ mount: at, connection }: Pick<LookedInto, 'mount' | 'connection'>): string =>
  `${at}/${connection}`;

/** Where the logins of one of Vault's roles are made, if Brevet may look there. */
export const lookedInto = (config: VaultConfig, read: { mount: string; role: string }): LookedInto | null =>
  config.looks_into.find(({ mount: at, roles }) => at === read.mount && roles.includes(read.role)) ?? null;

/** The database engines that this target knows of. */
export const databaseMountsOf = ({ looks_into }: VaultConfig): readonly string[] => [
  ...new Set(looks_into.map(({ mount: at }) => at)),
];
