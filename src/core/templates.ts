/**
 * What a task class says to its provider, by kind of provider: the forms that a bundle is checked against, and that a
 * provider reads when it specifies what it will send; and which parameters the credential then holds its holder to.
 */
import { z } from 'zod';
import type { JsonObject } from './canonical.ts';
import type { ProviderKind } from './registers.ts';
import { enforcedByHttp, httpTemplate } from './templates/http.ts';
import { awsTemplate, enforcedByAws } from './templates/aws.ts';
import { enforcedByVault, vaultTemplate } from './templates/vault.ts';

interface Template {
  readonly form: z.ZodType;
  /** Parameters that the credential itself enforces, whatever the target: a permit that rests on others is a finding. */
  readonly enforces: (template: JsonObject) => readonly string[];
  /** The credential says which part of its target it is for, so that whoever takes it can hold its holder to that. */
  readonly saysResource: boolean;
}

/** @see RFC 6749 section 3.3 */
const SCOPES = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;
const GROUP = /^[a-z_][a-z0-9_]{0,62}$/;

export const TEMPLATES = {
  jwt: {
    form: z.strictObject({ scope: z.string().regex(SCOPES, 'it must be OAuth scopes') }),
    // The target's API reads them in the token, and may look at them or not.
    enforces: () => [],
    saysResource: true,
  },
  postgres: {
    form: z.strictObject({ group: z.string().regex(GROUP, 'it must be the name of a group role') }),
    // The group role's rights are all that the server holds a login to.
    enforces: () => [],
    saysResource: false,
  },
  aws: { form: awsTemplate, enforces: enforcedByAws, saysResource: false },
  vault: { form: vaultTemplate, enforces: enforcedByVault, saysResource: false },
  http: { form: httpTemplate, enforces: enforcedByHttp, saysResource: false },
} as const satisfies Readonly<Record<ProviderKind, Template>>;
