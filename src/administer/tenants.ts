/** A tenant and what it has of its own: signing keys, targets, enrolments. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import type { JsonObject } from '../core/canonical.ts';
import { audienceKey } from '../core/audience.ts';
import { hmacSha256, toHex, utf8 } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { AgentName, IssuerName, OperatorName, TargetName, TenantName } from '../core/ids.ts';
import { name, parseWith, when, words } from '../core/parse.ts';
import { DATA_CLASSES, PROVIDER_KINDS } from '../core/registers.ts';
import type { Enrolment, PublicJwk, SigningKey, TargetVersion, WorkloadBinding } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { SealedSecret } from '../core/seal.ts';
import { Secret } from '../core/secret.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { numericDate } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { parsePublicKey } from '../authenticate/jwk.ts';
import { bindingsOverlap, checkBinding } from '../authenticate/binding.ts';
import { targetPurpose } from '../issue/target.ts';
import { EVERYTHING } from './registers.ts';
import type { Parsed } from './registers.ts';

/** Both kinds, since a target may ask for ES256. */
const ALGORITHMS = ['EdDSA', 'ES256'] as const;

/** A new tenant's own keys; the private halves sealed for it alone. */
export async function makeSigningKeys(deps: Deps, tenant: TenantName): Promise<readonly SigningKey[]> {
  return Promise.all(
    ALGORITHMS.map(async (algorithm) => {
      const pair = await generateKeyPair(algorithm, { extractable: true });
      const publicJwk = (await exportJWK(pair.publicKey)) as PublicJwk;
      const kid = `${numericDate(deps.clock())}-${(await calculateJwkThumbprint(publicJwk)).slice(0, 12)}`;
      const secret = new Secret(JSON.stringify(await exportJWK(pair.privateKey)));
      const privateJwk = await deps.keyring.seal({ tenant, use: 'signing-key', subject: kid }, secret);
      return { tenant, kid, algorithm, publicJwk, privateJwk };
    }),
  );
}

export const targetBody = z.strictObject({
  provider: z.enum(PROVIDER_KINDS),
  config: z.record(z.string(), z.unknown()),
  secret: z.string().min(1).max(16_384).nullable().default(null),
  jwk: z.record(z.string(), z.unknown()).nullable().default(null),
  environment: words(63),
  data_classes: z.array(z.enum(DATA_CLASSES)).max(DATA_CLASSES.length).default([]),
  msp_wide: z
    .strictObject({ reason: words(500) })
    .nullable()
    .default(null),
});

/** A provider reads its part alone, and names paths within it. */
const inConfig = (refusal: Failure): Failure => ({
  ...refusal,
  path: refusal.path === undefined ? 'config' : `config.${refusal.path}`,
});

/** Reads a target; its secret is sealed before it goes any further. */
export async function parseTarget(
  deps: Deps,
  at: Snapshot,
  { target: called, body }: { readonly target: TargetName; readonly body: unknown },
  author: OperatorName,
): Promise<Result<Parsed>> {
  const parsed = parseWith(targetBody, body);
  if (!parsed.ok) return parsed;
  const tenant = at.tenant.name;
  const { provider: kind, environment, data_classes: dataClasses, msp_wide: shared } = parsed.value;
  const provider = deps.providers.get(kind);
  if (provider === undefined) return err(failure('invalid_target', `the provider ${kind} is not built in yet`));
  const config = provider.parse(parsed.value.config, {
    tenant,
    publicUrl: deps.publicUrl,
    externalId: externalIdOf(deps.keyring, tenant),
  });
  if (!config.ok) return err(inConfig(config.error));
  if (shared !== null && config.value['key_reaches'] === 'this-tenant') return err(REACHES_OTHERS);
  const jwk = parsed.value.jwk === null ? ok(null) : parsePublicKey(parsed.value.jwk);
  if (!jwk.ok) return jwk;
  const secret = await keptOrNew(deps, at.targets.get(called), called, config.value, parsed.value.secret, tenant);
  if (!secret.ok) return secret;
  const { audience } = config.value;
  return ok({
    change: {
      kind: 'target.put',
      target: {
        tenant,
        name: called,
        provider: kind,
        config: config.value,
        secret: secret.value?.sealed ?? null,
        jwk: jwk.value === null ? null : jwk.value.jwk,
        environment,
        dataClasses,
        mspWide: shared === null ? null : { ...shared, author },
      },
      audience: typeof audience === 'string' ? audienceKey(audience) : null,
      secretHash: secret.value?.hash ?? null,
    },
    facts: {
      tenant,
      target: called,
      provider: kind,
      environment,
      data_classes: dataClasses,
      msp_wide: shared !== null,
    },
    said: { config: config.value, ...(shared === null ? {} : { msp_wide: shared.reason }) },
    takesTwo: null,
    ends: null,
  });
}

/** A key that stands at other tenants too reaches them, whatever is said of it. */
const REACHES_OTHERS = failure('invalid_target', 'a secret that is msp_wide reaches several clients', {
  path: 'config.key_reaches',
  hint: 'Say several, and how each call is tied to this tenant.',
});

interface KeptSecret {
  readonly sealed: SealedSecret;
  /** Keyed, so that the same secret is known again and nothing else is. */
  readonly hash: string;
}

/** Half of a digest is more than anybody guesses. */
const EXTERNAL_ID_BYTES = 16;

/** Made here, so that no tenant can name another's. */
const externalIdOf = (keyring: Deps['keyring'], tenant: TenantName): string =>
  toHex(hmacSha256(keyring.derive('external id'), utf8(tenant)).subarray(0, EXTERNAL_ID_BYTES));

/** Where a target is reached; a secret that was given for one place is not sent to another. */
async function keptOrNew(
  { keyring }: Deps,
  before: TargetVersion | undefined,
  called: TargetName,
  config: JsonObject,
  given: string | null,
  tenant: TenantName,
): Promise<Result<KeptSecret | null>> {
  const purpose = targetPurpose(tenant, called);
  const hashed = (secret: Secret): string => toHex(hmacSha256(keyring.derive('target secret'), utf8(secret.reveal())));
  if (given !== null) {
    const secret = new Secret(given);
    return ok({ sealed: await keyring.seal(purpose, secret), hash: hashed(secret) });
  }
  const kept = before?.secret ?? null;
  if (kept === null) return ok(null);
  if (JSON.stringify(before?.config) === JSON.stringify(config)) {
    return ok({ sealed: kept, hash: hashed(await keyring.open(purpose, kept)) });
  }
  return err(
    failure('invalid_target', 'a target that changes needs its secret again', {
      path: 'secret',
      hint: 'Send the secret with the change, so that it never goes to an address it was not given for.',
    }),
  );
}

export const enrolmentBody = z.strictObject({
  jwk: z.record(z.string(), z.unknown()).optional(),
  issuer: name().optional(),
  claims: z.record(z.string().min(1).max(200), z.string().min(1).max(500)).optional(),
  exception: z
    .strictObject({ reason: words(500), until: when() })
    .nullable()
    .default(null),
});

export async function parseEnrolment(
  at: Snapshot,
  agent: AgentName,
  author: OperatorName,
  body: unknown,
): Promise<Result<Parsed>> {
  const parsed = parseWith(enrolmentBody, body);
  if (!parsed.ok) return parsed;
  const proof = await parseProof(at, parsed.value);
  if (!proof.ok) return proof;
  const overlap = overlapping(at, agent, proof.value);
  if (overlap !== null) return err(overlap);
  const tenant = at.tenant.name;
  const { exception } = parsed.value;
  const enrolment: Enrolment = {
    tenant,
    agent,
    proof: proof.value,
    exception: exception === null ? null : { ...exception, author },
  };
  return ok({
    change: { kind: 'enrolment.put', enrolment },
    facts: { tenant, agent, by: proof.value.by, ...factsOf(proof.value) },
    said: exception === null ? {} : { exception: exception.reason },
    takesTwo: null,
    // Nothing rests on a first one yet, and what is asked for under it may come before the queue does.
    ends: at.agents.has(agent) ? { ...EVERYTHING, tenant, agent } : null,
  });
}

/** Two bindings that one token could satisfy would let the workload choose which agent it is. */
function overlapping(at: Snapshot, agent: AgentName, proof: Enrolment['proof']): Failure | null {
  if (proof.by !== 'workload') return null;
  const other = [...at.agents.values()].find(
    ({ enrolment }) =>
      enrolment.agent !== agent &&
      enrolment.proof.by === 'workload' &&
      bindingsOverlap(enrolment.proof.binding, proof.binding),
  );
  if (other === undefined) return null;
  const hint = 'Give both a claim in which they differ.';
  return failure('binding_overlaps', `one token could satisfy the binding of ${other.agent.name} too`, { hint });
}

const factsOf = (proof: Enrolment['proof']): JsonObject =>
  proof.by === 'key' ? { thumbprint: proof.thumbprint } : { issuer: proof.binding.issuer };

async function parseProof(at: Snapshot, body: z.infer<typeof enrolmentBody>): Promise<Result<Enrolment['proof']>> {
  const { jwk, issuer, claims } = body;
  if (jwk !== undefined && issuer === undefined && claims === undefined) {
    const key = parsePublicKey(jwk);
    return key.ok ? ok({ by: 'key', ...key.value }) : key;
  }
  if (jwk === undefined && issuer !== undefined && claims !== undefined) {
    const known = at.deployment.issuers.find((one) => one.name === issuer);
    if (known === undefined) return err(failure('not_found', `there is no issuer ${issuer}`, { path: 'issuer' }));
    const binding: WorkloadBinding = { issuer: issuer as IssuerName, claims };
    const checked = checkBinding(known, binding);
    return checked.ok ? ok({ by: 'workload', binding }) : checked;
  }
  const hint = 'Send jwk alone, or issuer with claims.';
  return err(failure('invalid_request', 'an enrolment has one key or one workload binding', { hint }));
}
