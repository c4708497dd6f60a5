/**
 * What will be sent for a login: from the grant's terms and the target's version, purely.
 */
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import type { MintSpecification, MintTerms } from '../../core/provider.ts';
import type { TargetVersion } from '../../core/registers.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { parseWith } from '../../core/parse.ts';
import { configOf, frontNode, groupRole } from './config.ts';

/** The part of a task class that is for this provider. */
const template = z.strictObject({
  /** The group role whose rights the login has, and that owns what it makes. */
  group: groupRole(),
  connection_limit: z.int().min(1).max(100).optional(),
});

const specification = z.object({
  provider: z.literal('postgres'),
  host: z.string(),
  port: z.int(),
  database: z.string(),
  system_identifier: z.string(),
  name: z.literal('{mark}'),
  verifier: z.literal('{verifier}'),
  scram_rounds: z.int(),
  valid_until: z.literal('{expires_at}'),
  connection_limit: z.int(),
  group: z.string(),
  connect_role: z.string().nullable(),
  inherit: z.literal(false),
});

export type LoginSpecification = z.infer<typeof specification>;

export function specifyLogin(terms: MintTerms, target: TargetVersion): Result<MintSpecification> {
  const asked = parseWith(template, terms.template);
  if (!asked.ok) return asked;
  const config = configOf(target.config);
  const { group, connection_limit } = asked.value;
  if (!config.groups.includes(group)) {
    const hint = `The target's administrator can add it to groups.`;
    return err(failure('invalid_target', `the target ${target.name} does not offer this task's group role`, { hint }));
  }
  const { host, port } = frontNode(config);
  return ok({
    provider: 'postgres',
    host,
    port,
    database: config.database,
    system_identifier: config.system_identifier,
    name: '{mark}',
    verifier: '{verifier}',
    scram_rounds: config.scram_rounds,
    valid_until: '{expires_at}',
    connection_limit: Math.min(connection_limit ?? config.connection_limit, config.connection_limit),
    group,
    connect_role: config.connect_role ?? null,
    inherit: false,
  } satisfies LoginSpecification);
}

/** What was specified is read back from the lease: another form is a fault. */
export const loginOf = readOnce<MintSpecification, LoginSpecification>((specified) => specification.parse(specified));

/** A kill asks for what its lease keeps a dozen times. Of values that never change, and for no longer than they live. */
function readOnce<Kept extends object, Read>(parse: (kept: Kept) => Read): (kept: Kept) => Read {
  const known = new WeakMap<Kept, Read>();
  return (kept) => {
    const before = known.get(kept);
    if (before !== undefined) return before;
    const read = parse(kept);
    known.set(kept, read);
    return read;
  };
}

const reference = z.object({
  system_identifier: z.string(),
  server_version: z.int(),
  /** By which sessions are found after the role's name is gone. */
  role_oid: z.string().regex(/^\d+$/),
  /** On the target's clock. */
  minted_at: z.string(),
  /** A digest of the code that the group owned at the mint: a class that makes objects can leave some behind. */
  code_before: z.string(),
});

export type LoginReference = z.infer<typeof reference>;

const readReference = readOnce<JsonObject, LoginReference>((kept) => reference.parse(kept));

/** `null`: the mint's outcome was never recorded. */
export const referenceOf = (kept: JsonObject | null): LoginReference | null =>
  kept === null ? null : readReference(kept);
