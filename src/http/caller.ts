/** Who calls, as the headers say it: the bearer of a token, and the key of a request that may come twice. */
import type { Context } from 'hono';
import { canonicalBytes } from '../core/canonical.ts';
import type { Json } from '../core/canonical.ts';
import type { Claim } from '../core/change/once.ts';
import { hmacSha256, toHex } from '../core/digest.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import { authenticateOperator } from '../authenticate/operator.ts';
import type { Caller } from '../authenticate/operator.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { witness } from '../administer/setup.ts';
import type { Scope } from './scope.ts';

export const tenantOf = (c: Context<Scope>): Result<TenantName> => tenantNamed(c.req.param('tenant'));

/** A name that is none belongs to no tenant: the answer is the one for a tenant that is not there. */
export function tenantNamed(text: string | undefined): Result<TenantName> {
  const name = parseName('tenant', text);
  return name.ok ? name : err(NOTHING_HERE);
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export const bearerOf = (c: Context<Scope>): Result<string> => bearerIn(c.req.header('authorization'));

export function bearerIn(authorization = ''): Result<string> {
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return ok(token);
  const hint = 'Send authorization: Bearer with a token of POST /t/{tenant}/token or of your OIDC issuer.';
  return err(failure('unauthenticated', 'The token is missing, wrong or over', { hint }));
}

export async function operatorOf(c: Context<Scope>): Promise<Result<OperatorPrincipal>> {
  const token = bearerOf(c);
  if (!token.ok) return token;
  const { deps } = c.var;
  const operator = await authenticateOperator(deps, await currentDeployment(deps), token.value, callerOf(c));
  if (!operator.ok) {
    deps.log.info('operator.refused', { code: operator.error.failure.code, why: operator.error.why });
    return err(operator.error.failure);
  }
  await witness(deps, operator.value);
  return operator;
}

const callerOf = (c: Context<Scope>): Caller => ({
  address: c.env?.incoming?.socket?.remoteAddress ?? null,
  forwarded: FORWARDED.some((name) => c.req.header(name) !== undefined),
});

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** As the deployment is now: an operator who was removed on another node has no standing here. */
export async function currentDeployment(deps: Deps): Promise<DeploymentSnapshot> {
  const kept = await deps.store.deployment();
  if ((await deps.store.deploymentEpoch()) === kept.epoch) return kept;
  deps.store.forget(null);
  return deps.store.deployment();
}

/** A tenant as it is now. */
export async function currentSnapshot(c: Context<Scope>): Promise<Result<Snapshot>> {
  const tenant = tenantOf(c);
  if (!tenant.ok) return tenant;
  const { store } = c.var.deps;
  const epochs = await store.epochs(tenant.value);
  const kept = await store.snapshot(tenant.value);
  const fresh = kept?.epochs.tenant === epochs?.tenant && kept?.epochs.deployment === epochs?.deployment;
  if (!fresh) store.forget(tenant.value);
  const snapshot = fresh ? kept : await store.snapshot(tenant.value);
  return snapshot === null ? err(NOTHING_HERE) : ok(snapshot);
}

const KEY = /^[\x21-\x7e]{1,255}$/;

export const claimOf = (c: Context<Scope>, route: string, body: unknown): Result<Claim | null> =>
  claimBy(c.var.deps, c.req.header('idempotency-key'), { route, body });

/** @param body what was sent, without the assertion: the same key must come with the same. */
export function claimBy(
  { keyring }: Pick<Deps, 'keyring'>,
  key: string | undefined,
  { route, body }: { readonly route: string; readonly body: unknown },
): Result<Claim | null> {
  if (key === undefined) return ok(null);
  if (!KEY.test(key)) {
    const hint = 'Send 1 to 255 visible ASCII characters, such as a UUID.';
    return err(failure('invalid_field', 'the idempotency key has the wrong form', { path: 'idempotency-key', hint }));
  }
  return ok({ route, key, digest: bodyDigest({ keyring }, body) });
}

/** Keyed, so that nobody who reads it can guess what was sent. */
export const bodyDigest = ({ keyring }: Pick<Deps, 'keyring'>, body: unknown): string =>
  toHex(hmacSha256(keyring.derive('idempotency'), canonicalBytes((body ?? null) as Json)));
