/**
 * Calls through Brevet's own gateway, for tools that only know API keys: the agent gets a token for one lease, which the
 * gateway takes, and never the key.
 */
import { FetchFailed, FetchRefused } from '../../core/fetch.ts';
import type { Forward } from '../../core/forward.ts';
import { gatewaySpecification, gatewayUrl, LEASE_TOKEN_TYPE } from '../../core/gateway/specification.ts';
import { whyNoKey } from '../../core/gateway/target.ts';
import type { HttpTarget } from '../../core/gateway/target.ts';
import { failure } from '../../core/failure.ts';
import type { TenantName } from '../../core/ids.ts';
import { tenantIssuer } from '../../core/issuer.ts';
import { enforcedBy } from '../../core/provider.ts';
import type {
  Declaration,
  Finding,
  LocalProvider,
  MintOrder,
  Minted,
  OpenTarget,
  Sighting,
  Subject,
} from '../../core/provider.ts';
import { err } from '../../core/result.ts';
import { Secret } from '../../core/secret.ts';
import type { Signer } from '../../core/signer.ts';
import { httpTemplate } from '../../core/templates/http.ts';
import { numericDate, seconds, toRfc3339 } from '../../core/time.ts';
import type { JsonObject } from '../../core/canonical.ts';
import { configOf, parseTarget } from './config.ts';
import { specify } from './specification.ts';

const LONGEST = seconds(3_600);
const SHORTEST = seconds(1);
const EVIDENCE = 'the gateway refuses, in the same commit';

export interface HttpProviderOptions {
  readonly signer: Signer;
  /** The deployment's own URL, without a slash at its end. */
  readonly publicUrl: string;
  readonly forward: Forward;
}

export function httpProvider({ signer, publicUrl, forward }: HttpProviderOptions): LocalProvider {
  return {
    kind: 'http',
    where: 'local',
    parse: (config, context) => parseTarget(config, context.publicUrl),
    declare: (_target, template) => declarationOf(template),
    specify: (terms, target) =>
      target.secret === null
        ? err(failure('invalid_target', `${target.name} has no key yet`, { hint: 'Put its secret.' }))
        : specify(terms, configOf(target), tenantIssuer(publicUrl, terms.tenant)),
    mint: (order) => mint(signer, order),
    look: (subject) => Promise.resolve(look(subject)),
    check: (target) => check(forward, target),
  };
}

function declarationOf(template: JsonObject): Declaration {
  const read = httpTemplate.safeParse(template);
  // What its calls began may go on, whatever becomes of the lease.
  const leaves = !read.success || read.data.leaves_effects;
  return {
    revokes: 'commit',
    evidence: leaves ? null : EVIDENCE,
    expiryEndsUse: true,
    countsUses: true,
    seesUse: true,
    keepsSecret: false,
    enforces: enforcedBy('http', template),
    shortest: SHORTEST,
    longest: LONGEST,
  };
}

async function mint(signer: Signer, order: MintOrder): Promise<Minted> {
  const { tenant, token: claims } = gatewaySpecification.parse(order.specification);
  const filled = {
    ...claims,
    aud: gatewayUrl(claims.iss, order.lease),
    jti: order.lease,
    iat: numericDate(order.issuedAt),
    exp: numericDate(order.expiresAt),
  };
  const token = new Secret(await signer.sign(tenant as TenantName, LEASE_TOKEN_TYPE, filled));
  return {
    reference: { jti: order.lease },
    credential: { type: 'http', base_url: filled.aud, token, expires_at: toRfc3339(order.expiresAt) },
    keep: null,
  };
}

/** Called after the commit of the revocation, which is the death of all that the lease itself could do. */
function look({ specification }: Subject): Sighting {
  const { leaves_effects: leaves } = gatewaySpecification.parse(specification);
  if (leaves) return { seen: 'unseen', why: 'what its calls began may go on in the tool', forGood: true };
  return { seen: 'gone', evidence: { by: EVIDENCE } };
}

const CHECK_MS = 5_000;

/** Whether there is a key that can be used, and somebody at the origin. The key itself is shown to nobody here. */
async function check(forward: Forward, { version, secret }: OpenTarget): Promise<readonly Finding[]> {
  const config = configOf(version);
  const why = whyNoKey(secret?.reveal() ?? null);
  const findings: Finding[] = [];
  if (why !== null)
    findings.push({ level: 'refuse', what: why, remedy: 'Put the target again with its key as secret.' });
  if (config.origin.startsWith('http:')) {
    findings.push({ level: 'warn', what: 'the key goes over plain http', remedy: 'Use https, if the tool has it.' });
  }
  const silent = await whySilent(forward, config);
  return silent === null ? findings : [...findings, silent];
}

async function whySilent(
  forward: Forward,
  { origin, base_path, ca, private: mayBePrivate }: HttpTarget,
): Promise<Finding | null> {
  try {
    const answer = await forward({
      method: 'GET',
      url: new Secret(`${origin}${base_path}/`),
      headers: { accept: '*/*' },
      body: null,
      ca: ca ?? null,
      mayBePrivate,
      pool: 'check',
      signal: AbortSignal.timeout(CHECK_MS),
    });
    // Left, it lets its connection go.
    await answer.body[Symbol.asyncIterator]().return?.(undefined);
    return null;
  } catch (fault) {
    if (fault instanceof FetchRefused) {
      const remedy = 'Use a public https origin, or allow the host in BREVET_ALLOW_PRIVATE_HOSTS and say private.';
      return { level: 'refuse', what: fault.message, remedy };
    }
    if (fault instanceof FetchFailed) {
      return {
        level: 'warn',
        what: `the origin gave ${fault.message}`,
        remedy: 'Look whether it is up, and its certificate.',
      };
    }
    throw fault;
  }
}
