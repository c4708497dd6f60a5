/**
 * What a task class says to its provider, by kind of provider: the forms that a bundle is checked against, and that a
 * provider reads when it specifies what it will send.
 */
import { z } from 'zod';
import type { ProviderKind } from './registers.ts';
import { httpTemplate } from './templates/http.ts';
import { awsTemplate } from './templates/aws.ts';
import { vaultTemplate } from './templates/vault.ts';

/** @see RFC 6749 section 3.3 */
const SCOPES = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;
const GROUP = /^[a-z_][a-z0-9_]{0,62}$/;

export const TEMPLATES = {
  jwt: z.strictObject({ scope: z.string().regex(SCOPES, 'it must be OAuth scopes') }),
  postgres: z.strictObject({ group: z.string().regex(GROUP, 'it must be the name of a group role') }),
  aws: awsTemplate,
  vault: vaultTemplate,
  http: httpTemplate,
} as const satisfies Readonly<Record<ProviderKind, z.ZodType>>;
