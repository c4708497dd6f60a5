/** One tenant, `acme`, as authentication reads it, with real keys; each test changes what it is about. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import type { AgentName, IssuerName, OperatorName, PersonName, TargetName, TenantName } from '../../src/core/ids.ts';
import { tenantIssuer } from '../../src/core/issuer.ts';
import type { IssuerKeys } from '../../src/core/issuer.ts';
import { NO_CONTEXT } from '../../src/core/registers.ts';
import type {
  Agent,
  Assignment,
  Enrolment,
  Operator,
  Person,
  SigningKey,
  TrustedIssuer,
} from '../../src/core/registers.ts';
import { createKeyring } from '../../src/core/seal.ts';
import type { Keyring, SealedSecret } from '../../src/core/seal.ts';
import type { Signer } from '../../src/core/signer.ts';
import type { DeploymentSnapshot, EnrolledAgent, Snapshot } from '../../src/core/snapshot.ts';
import { instant, seconds } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import { parsePublicKey } from '../../src/authenticate/jwk.ts';
import type { EnrolledKey } from '../../src/authenticate/jwk.ts';

export const NOW = instant(Date.UTC(2026, 0, 2, 3, 4, 5));
/** The same, as claims have it. */
export const DATE = NOW / 1000;
export const PUBLIC_URL = 'https://brevet.example';
export const ACME = 'acme' as TenantName;
export const ISSUER = tenantIssuer(PUBLIC_URL, ACME);
export const OWNER = 'olga' as PersonName;
export const BOT = 'triage-bot' as AgentName;

export interface TestKey extends EnrolledKey {
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
}

export async function makeKey(algorithm: string): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const parsed = parsePublicKey(await exportJWK(publicKey));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return { ...parsed.value, algorithm, privateKey };
}

/** A good assertion of the triage bot's, changed by what is given; `undefined` takes a claim away. */
export function sign(
  key: TestKey,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const good = { iss: BOT, sub: BOT, aud: ISSUER, iat: DATE, exp: DATE + 60, jti: 'once' };
  const all = Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined);
  return new SignJWT(Object.fromEntries(all))
    .setProtectedHeader({ alg: key.algorithm, ...header })
    .sign(key.privateKey);
}

export const person = (name: string, active = true): Person => ({
  name: name as PersonName,
  displayName: name,
  email: null,
  active,
});

export const operator = (name: string, over: Partial<Operator> = {}): Operator => ({
  name: name as OperatorName,
  person: name as PersonName,
  issuer: null,
  subject: null,
  active: true,
  ...over,
});

export const agent = (name: string, over: Partial<Agent> = {}): Agent => ({
  name: name as AgentName,
  owner: OWNER,
  deputy: null,
  formerOwners: [],
  leftBy: null,
  kind: 'autonomous-agent',
  purpose: 'routes tickets',
  decisions: [],
  vendor: 'vendor',
  model: 'model',
  modelVersion: '1',
  autonomy: 'autonomous',
  data: [],
  active: true,
  ...over,
});

export function enrolled(
  name: string,
  proof: Enrolment['proof'],
  over: { readonly agent?: Partial<Agent>; readonly enrolment?: Partial<Enrolment> } = {},
): EnrolledAgent {
  const enrolment = { tenant: ACME, agent: name as AgentName, proof, exception: null, ...over.enrolment };
  return { agent: agent(name, over.agent), enrolment };
}

export const byKey = ({ jwk, thumbprint }: EnrolledKey): Enrolment['proof'] => ({ by: 'key', jwk, thumbprint });

export const byWorkload = (issuer: string, claims: Record<string, string>): Enrolment['proof'] => ({
  by: 'workload',
  binding: { issuer: issuer as IssuerName, claims },
});

export const trusted = (name: string, url: string, over: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  name: name as IssuerName,
  url,
  platform: 'generic',
  maxAge: seconds(3600),
  ...over,
});

const byName = <T extends { readonly name: string }>(all: readonly T[]): ReadonlyMap<T['name'], T> =>
  new Map(all.map((one) => [one.name, one]));

export function deployment(over: {
  readonly persons?: readonly Person[];
  readonly operators?: readonly Operator[];
  readonly issuers?: readonly TrustedIssuer[];
  readonly assignments?: readonly Assignment[];
}): DeploymentSnapshot {
  return {
    epoch: 1,
    inSetup: false,
    stopped: null,
    widening: null,
    policiesBefore: [],
    policy: null,
    reading: new Set(),
    persons: byName(over.persons ?? [person(OWNER)]),
    absences: new Map(),
    operators: byName(over.operators ?? []),
    passkeys: new Map(),
    issuers: over.issuers ?? [],
    vendors: new Map(),
    assignments: over.assignments ?? [],
    lapsesAt: instant(NOW + 1e9),
  };
}

export function tenant(over: {
  readonly name?: TenantName;
  readonly agents?: readonly EnrolledAgent[];
  readonly deployment?: DeploymentSnapshot;
  readonly assignments?: readonly Assignment[];
  readonly targets?: Readonly<Record<string, EnrolledKey>>;
  readonly keys?: Snapshot['keys'];
}): Snapshot {
  const name = over.name ?? ACME;
  const targets = Object.entries(over.targets ?? {}).map(([target, { jwk }]) => ({
    tenant: name,
    name: target as TargetName,
    version: 1,
    provider: 'jwt' as const,
    config: {},
    secret: null,
    jwk,
    environment: 'production',
    dataClasses: [],
    mspWide: null,
  }));
  return {
    tenant: {
      name,
      displayName: name,
      context: NO_CONTEXT,
    },
    epochs: { tenant: 1, deployment: 1 },
    deployment: over.deployment ?? deployment({}),
    agents: new Map((over.agents ?? []).map((one) => [one.agent.name, one])),
    acceptances: new Map(),
    assignments: over.assignments ?? [],
    blocks: [],
    pauses: [],
    trips: [],
    situations: [],
    lateNotices: new Set(),
    windows: null,
    targets: byName(targets),
    keys: over.keys ?? [],
    lapsesAt: instant(NOW + 1e9),
  };
}

/** For what must not look for keys at all. */
export const noKeys: IssuerKeys = {
  find: () => Promise.reject(new Error('an issuer was asked that nobody registered')),
};

/** What operators and sessions are authenticated with. */
export interface TestDeps {
  readonly publicUrl: string;
  readonly clock: () => Instant;
  readonly random: (bytes: number) => Uint8Array;
  readonly signer: Signer;
  readonly keyring: Keyring;
  readonly issuerKeys: IssuerKeys;
  readonly operators: { readonly issuer: string; readonly clientId: string; readonly clientSecret: null } | null;
}

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
export const keyring = await createKeyring(new Uint8Array(32).fill(7), random);

/** Signs for every tenant with one key, whose row is `signingKey`. */
export const signerOf = (key: TestKey): Signer => ({
  sign: (_tenant, typ, claims) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: key.algorithm, typ, kid: key.thumbprint })
      .sign(key.privateKey),
  keys: () => Promise.resolve([key.jwk]),
});

export const signingKey = (key: TestKey): SigningKey => ({
  tenant: ACME,
  kid: key.thumbprint,
  algorithm: 'ES256',
  publicJwk: key.jwk,
  privateJwk: '' as SealedSecret,
});

export const makeDeps = (key: TestKey, over: Partial<TestDeps> = {}): TestDeps => ({
  publicUrl: PUBLIC_URL,
  clock: () => NOW,
  random,
  signer: signerOf(key),
  keyring,
  issuerKeys: noKeys,
  operators: null,
  ...over,
});
