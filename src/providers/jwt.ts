/**
 * Access tokens that Brevet signs with the tenant's own key, for one API and one task.
 *
 * @see RFC 9068, RFC 9396
 */
import { z } from 'zod';
import type { Json } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import type { ChallengedAnswer, GuardedRequest } from '../core/fetch.ts';
import type { TenantName } from '../core/ids.ts';
import { tenantIssuer } from '../core/issuer.ts';
import { parseWith } from '../core/parse.ts';
import { isAtSameServer } from '../core/audience.ts';
import { enforcedBy } from '../core/provider.ts';
import type {
  Declaration,
  Finding,
  LocalProvider,
  MintOrder,
  Minted,
  MintSpecification,
  MintTerms,
  OpenTarget,
} from '../core/provider.ts';
import type { Sighting, Subject } from '../core/provider.ts';
import type { TargetVersion } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Signer } from '../core/signer.ts';
import { after, milliseconds, numericDate, seconds, toRfc3339 } from '../core/time.ts';
import type { Clock } from '../core/time.ts';

/** An API that checks nothing but the signature takes a token until its end: a short one bounds what a theft is worth. */
const LONGEST_OFFLINE = seconds(60);
const LONGEST = seconds(3_600);
const SHORTEST = seconds(1);

/** @see RFC 8707 section 2: an absolute URI without a fragment. */
const audience = z
  .string()
  .max(512)
  .refine((text) => URL.canParse(text) && !/[#\s]/.test(text), 'it must be an absolute URI without a fragment');

const schema = z
  .strictObject({
    /** What the API calls itself: it refuses every other. */
    audience,
    /** `introspection`: the API asks Brevet about each token. `offline`: it checks the signature alone. */
    checks: z.enum(['introspection', 'offline']),
    algorithm: z.enum(['EdDSA', 'ES256']).default('EdDSA'),
    /** The API says of each use that it is one, by `consume=true`: uses are counted, and the last one ends the token. */
    counts_uses: z.boolean().default(false),
    /** A GET at the API that takes any live token of this audience: death is seen there, by a 401 that says `invalid_token`. */
    probe_url: z
      .url({ protocol: /^https?$/ })
      .max(512)
      .optional(),
  })
  .refine(({ checks, counts_uses }) => checks === 'introspection' || !counts_uses, {
    path: ['counts_uses'],
    message: 'an API that checks offline never says that a token was used',
  })
  .refine(({ checks, probe_url }) => checks === 'introspection' || probe_url === undefined, {
    path: ['probe_url'],
    message: 'an API that checks offline goes on taking a dead token, so a probe shows nothing',
  });

type JwtConfig = z.infer<typeof schema>;

const template = z.strictObject({
  /** The token's `scope`. @see RFC 6749 section 3.3 */
  scope: z
    .string()
    .max(512)
    .regex(/^[!\x23-\x5B\x5D-\x7E]+(?: [!\x23-\x5B\x5D-\x7E]+)*$/)
    .optional(),
});

export interface JwtProviderOptions {
  readonly signer: Signer;
  /** The deployment's own URL, without a slash at its end. */
  readonly publicUrl: string;
  /** Guarded as every outgoing request is. */
  readonly request: GuardedRequest;
  readonly clock: Clock;
}

export function jwtProvider(options: JwtProviderOptions): LocalProvider {
  const { signer, publicUrl, request } = options;
  return {
    kind: 'jwt',
    where: 'local',
    parse: (config, context) => parseTarget(config, context.publicUrl),
    declare: (target) => declarationOf(configOf(target)),
    specify: (terms, target) => specify(terms, target, tenantIssuer(publicUrl, terms.tenant)),
    mint: (order, target) => mint(signer, order, target),
    look: (subject, target) => look(request, subject, configOf(target.version)),
    check: ({ version }) => check(options, version),
  };
}

function parseTarget(config: unknown, publicUrl: string): Result<JwtConfig> {
  const parsed = parseWith(schema, config);
  if (!parsed.ok) return parsed;
  for (const path of ['audience', 'probe_url'] as const) {
    const url = parsed.value[path];
    if (url === undefined || !isAtSameServer(url, publicUrl)) continue;
    const hint = "Name the client's own API.";
    return err(failure('invalid_target', `${path} is at Brevet itself, which exchanges tokens`, { path, hint }));
  }
  return parsed;
}

/** What is seen where the API can be probed. */
const PROBED = 'the API itself answers 401 invalid_token';

/** Read once for as long as the snapshot lives that holds it: each issue asks for it thrice. */
const configs = new WeakMap<TargetVersion, JwtConfig>();

function configOf(target: TargetVersion): JwtConfig {
  const config = configs.get(target) ?? schema.parse(target.config);
  configs.set(target, config);
  return config;
}

function declarationOf({ checks, counts_uses, probe_url }: JwtConfig): Declaration {
  const common = {
    countsUses: counts_uses,
    expiryEndsUse: true,
    seesUse: counts_uses,
    enforces: enforcedBy('jwt', {}),
    shortest: SHORTEST,
  };
  if (checks === 'offline') {
    return { ...common, revokes: 'never', evidence: null, keepsSecret: false, longest: LONGEST_OFFLINE };
  }
  if (probe_url === undefined) {
    const evidence = 'introspection refuses, in the same commit';
    return { ...common, revokes: 'commit', evidence, keepsSecret: false, longest: LONGEST };
  }
  const evidence = PROBED;
  return { ...common, revokes: { within: seconds(1) }, evidence, keepsSecret: true, longest: LONGEST };
}

function specify(terms: MintTerms, target: TargetVersion, issuer: string): Result<MintSpecification> {
  const asked = parseWith(template, terms.template);
  if (!asked.ok) return asked;
  const config = configOf(target);
  const { longest } = declarationOf(config);
  if (terms.ttl > longest) {
    return err(failure('ttl_not_possible', `tokens for ${target.name} live at most ${longest} s`));
  }
  const { task, resource, parameters } = terms;
  return ok({
    provider: 'jwt',
    tenant: terms.tenant,
    algorithm: config.algorithm,
    claims: {
      iss: issuer,
      sub: terms.agent,
      client_id: terms.agent,
      aud: config.audience,
      jti: '{lease}',
      iat: '{issued_at}',
      exp: '{expires_at}',
      ...(asked.value.scope !== undefined && { scope: asked.value.scope }),
      // The parameters as they are called in the task class, beside the fields of RFC 9396.
      authorization_details: [{ type: 'brevet_task', task, resource, parameters }],
    },
  });
}

const specification = z.object({
  provider: z.literal('jwt'),
  tenant: z.string(),
  algorithm: z.enum(['EdDSA', 'ES256']),
  claims: z.looseObject({
    jti: z.literal('{lease}'),
    iat: z.literal('{issued_at}'),
    exp: z.literal('{expires_at}'),
    scope: z.string().optional(),
    // As `specify` wrote it: JSON, whether it comes from there or out of the database.
    authorization_details: z.custom<Json>((value) => Array.isArray(value)),
  }),
});

async function mint(signer: Signer, order: MintOrder, target: OpenTarget): Promise<Minted> {
  const { tenant, algorithm, claims } = specification.parse(order.specification);
  const filled = {
    ...(claims as MintSpecification),
    jti: order.lease,
    iat: numericDate(order.issuedAt),
    exp: numericDate(order.expiresAt),
  };
  const token = new Secret(await signer.sign(tenant as TenantName, 'at+jwt', filled, algorithm));
  const { keepsSecret } = declarationOf(configOf(target.version));
  return {
    reference: { jti: order.lease },
    credential: {
      type: 'jwt',
      access_token: token,
      token_type: 'Bearer',
      expires_at: toRfc3339(order.expiresAt),
      ...(claims.scope !== undefined && { scope: claims.scope }),
      authorization_details: claims.authorization_details,
    },
    keep: keepsSecret ? token : null,
  };
}

/** One refusal may be chance, or one of several nodes. */
const PROBES = 2;
const PROBE_LIMITS = { bytes: 65_536, milliseconds: milliseconds(5_000) };
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
/** It has looked at the token; an error of its own, or a page that is not there, says nothing of any. */
const isTaken = (status: number): boolean => (status >= 200 && status < 300) || status === FORBIDDEN;
/**
 * An API that is down or set up wrongly may answer 401 to everybody, and take this token again tomorrow: only one that
 * says so has looked at the token. No live one can show the difference: trying it would spend a use.
 *
 * @see RFC 6750 section 3.1
 */
const INVALID_TOKEN = /(?:^|[\s,])error\s*=\s*(?:"invalid_token"|invalid_token)(?=$|[\s,])/i;

/** Called after the commit of the revocation, which is the death itself where the API asks Brevet. */
async function look(request: GuardedRequest, subject: Subject, config: JwtConfig): Promise<Sighting> {
  if (config.checks === 'offline') {
    return { seen: 'unseen', why: 'the API checks offline: only expiry ends this token', forGood: true };
  }
  if (config.probe_url === undefined) {
    return { seen: 'gone', evidence: { by: 'introspection refuses, in the same commit' } };
  }
  if (subject.secret === null) return { seen: 'unseen', why: 'the token to probe with was not kept', forGood: true };
  return probe(request, config.probe_url, subject.secret);
}

async function probe(request: GuardedRequest, url: string, token: Secret): Promise<Sighting> {
  const headers = { authorization: `Bearer ${token.reveal()}` };
  for (let count = 1; count <= PROBES; count++) {
    const answer = await answerOf(() => request(url, PROBE_LIMITS, headers));
    if (typeof answer === 'string') return { seen: 'unseen', why: answer, forGood: false };
    const { status, challenge } = answer;
    if (isTaken(status)) return { seen: 'present', evidence: { by: 'probe', status } };
    if (status !== UNAUTHORIZED) return { seen: 'unseen', why: `the API answers ${status}`, forGood: false };
    if (!INVALID_TOKEN.test(challenge ?? '')) return { seen: 'unseen', why: NOT_SAID, forGood: true };
  }
  return { seen: 'gone', evidence: { by: PROBED, probes: PROBES, status: UNAUTHORIZED } };
}

/** Two probes, each within its limit. */
const CHECK_LASTS = seconds(10);

/**
 * Whether death would be seen: the API is probed, as after any revocation, with a token of its audience that is in date
 * and that Brevet says is dead. No lease is behind it, so it is for no task, and goes to the API alone.
 */
async function check(
  { signer, publicUrl, request, clock }: JwtProviderOptions,
  { tenant, config }: TargetVersion,
): Promise<readonly Finding[]> {
  const { audience: aud, algorithm, probe_url: url } = schema.parse(config);
  if (url === undefined) return [];
  const [iss, now] = [tenantIssuer(publicUrl, tenant), clock()];
  const times = { iat: numericDate(now), exp: numericDate(after(now, CHECK_LASTS)) };
  const claims = { iss, sub: iss, client_id: iss, aud, jti: 'check', ...times };
  const sighting = await probe(request, url, new Secret(await signer.sign(tenant, 'at+jwt', claims, algorithm)));
  switch (sighting.seen) {
    case 'gone':
      return [];
    case 'present':
      return [{ level: 'refuse', what: 'the API at probe_url takes a token that Brevet says is dead', remedy: TO_ASK }];
    case 'unseen':
      return [
        {
          level: sighting.why === SILENT ? 'warn' : 'refuse',
          what: `no death could be seen: ${sighting.why}`,
          remedy: TO_SAY,
        },
      ];
  }
}

const TO_ASK = 'Have it ask Brevet about each token, for each call. One that asks nobody is checks: offline.';
const TO_SAY =
  'Give a probe_url that Brevet may reach, with a GET that takes any live token, and have it refuse others with 401 and WWW-Authenticate: Bearer error="invalid_token".';

const NOT_SAID = 'the API answers 401 without saying invalid_token, as one does that lets nobody in';

const SILENT = 'the API does not answer the probe';

/** @returns the answer, or why there is none. */
async function answerOf(ask: () => ReturnType<GuardedRequest>): Promise<ChallengedAnswer | string> {
  try {
    return await ask();
  } catch (fault) {
    if (fault instanceof FetchFailed) return SILENT;
    if (fault instanceof FetchRefused) return 'the probe is not allowed to go where it is meant to';
    throw fault;
  }
}
