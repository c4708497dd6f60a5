/**
 * What a task class says of a Vault token: its policies, and what is read with it.
 */
import { z } from 'zod';
import type { Json, JsonObject } from '../canonical.ts';
import { placeholdersIn } from '../placeholder.ts';

const MOST = 16;

/** What a parameter is filled in for must stay within one segment. */
const literal = (form: RegExp, what: string) =>
  z
    .string()
    .min(1)
    .max(256)
    .refine((text) => form.test(text.replaceAll(PLACEHOLDER, 'x')), what);

const PLACEHOLDER = /\{\{[a-z][a-z0-9_]{0,63}\}\}/g;
/** Vault lowers the names of policies. */
export const POLICY = /^[a-z0-9][a-z0-9_.-]{0,126}$/;
export const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$/;
/** No segment is empty or begins with a dot, and none holds what Vault's policies take for a pattern. */
export const PATH = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/;
export const MOUNT = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/;

/** Every token has the first unless it is told not to, and the second is everything. */
export const isOwnPolicy = (name: string): boolean => name !== 'default' && name !== 'root';

const policy = () =>
  literal(POLICY, 'it must be the name of an ACL policy, in lower case').refine(
    isOwnPolicy,
    'default and root are never given: write a policy for this task class',
  );

const databaseRead = z.strictObject({
  /** A login of a database: each lease reads it under a role of its own, so that its logins are known. */
  engine: z.literal('database'),
  mount: z.string().regex(MOUNT, 'it must be the path of a mount').default('database'),
  /** The role whose statements make the login. */
  role: literal(ROLE, 'it must be the name of a database role'),
});

/** What of these is read outlives every token: a value, a certificate, an exported key, a session of another cloud. */
const pathRead = z.strictObject({
  engine: z.enum(['kv', 'pki', 'transit', 'aws', 'other']),
  path: literal(PATH, 'it must be a path without empty segments, dots, stars or plus signs'),
});

export const vaultTemplate = z.strictObject({
  policies: z.array(policy()).min(1).max(MOST),
  reads: z
    .array(z.discriminatedUnion('engine', [databaseRead, pathRead]))
    .min(1)
    .max(MOST),
});

export type VaultTemplate = z.infer<typeof vaultTemplate>;
export type DatabaseRead = z.infer<typeof databaseRead>;

/** Vault holds a token to its policies, and a login to the statements of its role. A path only says what to read. */
export const enforcedByVault = (template: JsonObject): readonly string[] =>
  placeholdersIn([template['policies'] ?? null, databaseRolesIn(template['reads'])]);

const databaseRolesIn = (reads: Json | undefined): Json =>
  Array.isArray(reads) ? (reads as readonly Json[]).map((read) => (read as JsonObject | null)?.['role'] ?? null) : null;
