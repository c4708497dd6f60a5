/**
 * What a task class says to its provider, by kind of provider: the forms that a bundle is checked against, and that a
 * provider reads when it specifies what it will send; and which parameters the credential then holds its holder to.
 */
import { z } from 'zod';
import type { JsonObject } from './canonical.ts';
import { placeholdersIn } from './placeholder.ts';
import type { ProviderKind } from './registers.ts';
import { httpTemplate } from './templates/http.ts';
import { awsTemplate, enforcedByAws } from './templates/aws.ts';
import { enforcedByVault, vaultTemplate } from './templates/vault.ts';

interface Template {
  readonly form: z.ZodType;
  /** Parameters that the credential itself enforces, whatever the target: a permit that rests on others is a finding. */
  readonly enforces: (template: JsonObject) => readonly string[];
}

/** @see RFC 6749 section 3.3 */
const SCOPES = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;
const GROUP = /^[a-z_][a-z0-9_]{0,62}$/;

export const TEMPLATES = {
  jwt: {
    form: z.strictObject({ scope: z.string().regex(SCOPES, 'it must be OAuth scopes') }),
    // The target's API reads them in the token, and may look at them or not.
    enforces: () => [],
  },
  postgres: {
    form: z.strictObject({ group: z.string().regex(GROUP, 'it must be the name of a group role') }),
    // The group role's rights are all that the server holds a login to.
    enforces: () => [],
  },
  aws: { form: awsTemplate, enforces: enforcedByAws },
  vault: { form: vaultTemplate, enforces: enforcedByVault },
  // What they are filled with is in the calls that are let through.
  http: { form: httpTemplate, enforces: placeholdersIn },
} as const satisfies Readonly<Record<ProviderKind, Template>>;
