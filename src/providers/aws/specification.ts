/**
 * What will be sent for a session: from the grant's terms and the target's version, purely.
 */
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import { parseWith } from '../../core/parse.ts';
import type { MintSpecification, MintTerms } from '../../core/provider.ts';
import type { TargetVersion } from '../../core/registers.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { awsTemplate } from '../../core/templates/aws.ts';
import { configOf } from './config.ts';
import { outlivingIn, sessionPolicy } from './policy.ts';
import type { PolicyDocument } from './policy.ts';

/** AWS gives no session for less: what lives shorter is ended by its own policy. */
const SHORTEST_SESSION = 900;
/** @see https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html */
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u;

const specification = z.object({
  provider: z.literal('aws'),
  account: z.string(),
  role_arn: z.string(),
  external_id: z.string(),
  session_name: z.literal('{mark}'),
  source_identity: z.literal('{mark}'),
  tags: z.record(z.string(), z.string()),
  duration_seconds: z.int(),
  regions: z.array(z.string()),
  policy: z.custom<PolicyDocument>((value) => typeof value === 'object' && value !== null),
  /** What the class names of that which outlives a session. */
  outliving: z.array(z.string()),
});

export type SessionSpecification = z.infer<typeof specification>;

export function specifySession(terms: MintTerms, target: TargetVersion): Result<MintSpecification> {
  const template = parseWith(awsTemplate, terms.template);
  if (!template.ok) return template;
  const config = configOf(target.config);
  const policy = sessionPolicy(template.value, terms.parameters, config.regions);
  if (!policy.ok) return policy;
  const tags = tagsOf(terms);
  const odd = Object.entries(tags).find(([, value]) => !TAG_VALUE.test(value));
  if (odd !== undefined) return err(failure('invalid_request', `AWS takes no such session tag for ${odd[0]}`));
  return ok({
    provider: 'aws',
    account: config.account,
    role_arn: config.role_arn,
    external_id: config.external_id,
    session_name: '{mark}',
    source_identity: '{mark}',
    tags,
    duration_seconds: Math.max(SHORTEST_SESSION, terms.ttl),
    regions: config.regions,
    policy: policy.value as unknown as JsonObject,
    outliving: [...outlivingIn(template.value)],
  } satisfies Record<keyof SessionSpecification, unknown>);
}

const tagsOf = ({ tenant, agent, task, request }: MintTerms) => ({
  'brevet:tenant': tenant,
  'brevet:agent': agent,
  'brevet:task': task,
  'brevet:request': request,
});

/** What was specified is read back from the lease: another form is a fault. */
export const sessionOf = (specified: MintSpecification): SessionSpecification => specification.parse(specified);

const reference = z.object({
  account: z.string(),
  /** `AROA…:{mark}`, as AWS names the session in its own log. */
  user_id: z.string(),
  access_key_id: z.string(),
  /** On AWS's clock, to the second: when the session itself is over, at the least 15 minutes after its mint. */
  session_ends: z.string(),
  /** Whether the session was seen to be let through before: only then does a refusal prove anything. */
  probed: z.boolean(),
});

export type SessionReference = z.infer<typeof reference>;

/** `null`: the mint's outcome was never recorded. */
export const referenceOf = (kept: unknown): SessionReference | null => (kept === null ? null : reference.parse(kept));
