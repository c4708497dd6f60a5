/**
 * Door badges: the smallest provider that keeps the whole contract, and the one that docs/how-to/add-a-provider.md reads
 * from. It is a toy of the tests; a real one lies under src/providers/ and is written the same way.
 */
import { z } from 'zod';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { failure } from '../../../src/core/failure.ts';
import { FetchFailed, FetchRefused } from '../../../src/core/fetch.ts';
import type { Exchange } from '../../../src/core/fetch.ts';
import type { Mark } from '../../../src/core/lease.ts';
import { isPrivateOnTheWay } from '../../../src/core/loopback.ts';
import { parseWith } from '../../../src/core/parse.ts';
import { fillIn, placeholdersIn } from '../../../src/core/placeholder.ts';
import { ProviderRefused, ProviderUnavailable } from '../../../src/core/provider.ts';
import type {
  Activity,
  Declaration,
  Finding,
  Minted,
  MintOrder,
  MintSpecification,
  MintTerms,
  OpenTarget,
  RemoteProvider,
  Sighting,
  Subject,
} from '../../../src/core/provider.ts';
import type { ProviderKind, TargetVersion } from '../../../src/core/registers.ts';
import { err, ok } from '../../../src/core/result.ts';
import type { Result } from '../../../src/core/result.ts';
import { Secret } from '../../../src/core/secret.ts';
import { parseInstant, seconds, toRfc3339 } from '../../../src/core/time.ts';
import type { Clock, Milliseconds } from '../../../src/core/time.ts';
import { badgeTemplate, DOOR } from './template.ts';

export interface BadgeProviderOptions {
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** How long one call may take before it is given up. */
  readonly patience: Milliseconds;
}

/** A toy is in no deployment, and so in no list of kinds. */
const KIND = 'badge' as string as ProviderKind;

export function badgeProvider(options: BadgeProviderOptions): RemoteProvider {
  const at = (target: OpenTarget): Site => ({ ...options, target, config: configOf(target.version.config) });
  return {
    kind: KIND,
    where: 'remote',
    parse: parseTarget,
    declare,
    specify,
    mint: (order, target) => mint(at(target), order),
    revoke: (subject, target) => revoke(at(target), subject),
    look: (subject, target) => look(at(target), subject),
    fence: (subject, target) => fence(at(target), subject),
    unfence: (subject, target) => unfence(at(target), subject),
    list: (target) => list(at(target)),
    activity: (subject, target) => activity(at(target), subject),
    endAll: null,
    check: (target) => check(at(target)),
  };
}

const configForm = z.strictObject({
  /** Scheme, host and port alone. */
  address: z.url({ protocol: /^https?$/ }).regex(/^https?:\/\/[^/?#@]+$/, 'it must be scheme, host and port alone'),
  /** The building's own id: "not found" counts only from there. */
  site: z.guid(),
  /** The doors that any badge of this target may open. */
  doors: z.array(z.string().regex(DOOR)).min(1).max(64),
});

type Config = z.infer<typeof configForm>;

function parseTarget(written: unknown): Result<Config & JsonObject> {
  const parsed = parseWith(configForm, written);
  if (!parsed.ok || isPrivateOnTheWay(new URL(parsed.value.address))) return parsed;
  return err(failure('invalid_target', 'the key would cross a network unprotected: use https', { path: 'address' }));
}

/** What `parse` made is read back from the register: a row of another form is a fault. */
const configOf = (config: JsonObject): Config => configForm.parse(config);

function declare(_target: TargetVersion, template: JsonObject): Declaration {
  return {
    revokes: { within: seconds(1) },
    evidence: 'the badge and who is inside with it, as the building itself says',
    // The door looks at a badge once: whoever is inside when it ends stays inside.
    expiryEndsUse: false,
    countsUses: false,
    seesUse: true,
    keepsSecret: false,
    enforces: placeholdersIn(template),
    shortest: seconds(5),
    longest: seconds(3_600),
  };
}

const specification = z.object({
  provider: z.literal('badge'),
  address: z.string(),
  site: z.string(),
  name: z.literal('{mark}'),
  door: z.string(),
  until: z.literal('{expires_at}'),
  land_by: z.literal('{deadline}'),
});

function specify(terms: MintTerms, target: TargetVersion): Result<MintSpecification> {
  const asked = parseWith(badgeTemplate, terms.template);
  if (!asked.ok) return asked;
  const { address, site, doors } = configOf(target.config);
  const door = fillIn(asked.value.door, terms.parameters, (value) => (DOOR.test(value) ? value : null));
  if (door === null || !doors.includes(door)) {
    return err(failure('invalid_parameters', 'this is no door of the target', { path: 'parameters' }));
  }
  return ok({
    provider: 'badge',
    address,
    site,
    name: '{mark}',
    door,
    until: '{expires_at}',
    land_by: '{deadline}',
  } satisfies z.infer<typeof specification>);
}

const made = z.object({ code: z.string().min(1) });

async function mint(site: Site, order: MintOrder): Promise<Minted> {
  if (site.clock() >= order.deadline) throw new ProviderUnavailable('the deadline of this badge has passed');
  const { door } = specification.parse(order.specification);
  const { status, body } = await ask(site, `PUT /badges/${order.mark}`, {
    door,
    until: toRfc3339(order.expiresAt),
    land_by: toRfc3339(order.deadline),
  });
  if (status in NOT_THIS_ONE) throw new ProviderRefused(`${order.mark} was not made: ${NOT_THIS_ONE[status]}`);
  const said = made.safeParse(body);
  if (status !== 201 || !said.success) throw new ProviderUnavailable(`the building answered ${status} to a new badge`);
  return {
    reference: { site: site.config.site, name: order.mark },
    credential: {
      type: 'badge',
      address: site.config.address,
      door,
      code: new Secret(said.data.code),
      expires_at: toRfc3339(order.expiresAt),
    },
    keep: null,
  };
}

/** The building is well, and makes other badges. */
const NOT_THIS_ONE: Readonly<Record<number, string>> = {
  409: 'its name is held or taken',
  410: 'it came after its deadline',
  507: 'the building has room for no more',
};

async function fence(site: Site, { mark }: Subject): Promise<void> {
  await done(site, `PUT /holds/${mark}`);
}

async function unfence(site: Site, { mark }: Subject): Promise<void> {
  await done(site, `DELETE /holds/${mark}`);
}

/** By its mark alone: its reference may never have been written down. It shows out who is inside. */
async function revoke(site: Site, { mark }: Subject): Promise<void> {
  await done(site, `DELETE /badges/${mark}`);
}

const shown = z.object({ badge: z.object({ inside: z.int(), last_used: z.string().nullable() }).nullable() });

/** `null`: the building says that there is no such badge. Then nobody is inside with it. */
async function badgeAt(site: Site, mark: Mark): Promise<z.infer<typeof shown>['badge']> {
  const { status, body } = await ask(site, `GET /badges/${mark}`);
  const said = shown.safeParse(body);
  if (status !== 200 || !said.success) throw new ProviderUnavailable(`the building answered ${status} to a look`);
  return said.data.badge;
}

async function look(site: Site, { mark }: Subject): Promise<Sighting> {
  try {
    const badge = await badgeAt(site, mark);
    if (badge !== null) return { seen: 'present', evidence: { inside: badge.inside } };
    return { seen: 'gone', evidence: { site: site.config.site, badge: 'none' } };
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return { seen: 'unseen', why: fault.message, forGood: false };
    throw fault;
  }
}

const MARK = /^brevet_[0-9a-hjkmnp-tv-z]{26}$/;
const listing = z.object({ names: z.array(z.string()) });

async function list(site: Site): Promise<readonly Mark[]> {
  const { status, body } = await ask(site, 'GET /badges');
  const said = listing.safeParse(body);
  if (status !== 200 || !said.success) throw new ProviderUnavailable(`the building answered ${status} to a listing`);
  return said.data.names.filter((name) => MARK.test(name)) as Mark[];
}

async function activity(site: Site, { mark }: Subject): Promise<Activity> {
  try {
    const badge = await badgeAt(site, mark);
    if (badge === null) return { use: 'over', last: null };
    if (badge.inside > 0) return { use: 'now' };
    return { use: 'over', last: badge.last_used === null ? null : parseInstant(badge.last_used) };
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return { use: 'unknown', why: fault.message };
    throw fault;
  }
}

async function check(site: Site): Promise<readonly Finding[]> {
  try {
    await list(site);
    return [];
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    return [{ level: 'refuse', what: fault.message, remedy: 'Compare the address, the site and the key.' }];
  }
}

interface Site extends BadgeProviderOptions {
  readonly target: OpenTarget;
  readonly config: Config;
}

/** A page of names is far below it. */
const MOST_BYTES = 1_048_576;

interface Said {
  readonly status: number;
  readonly body: unknown;
}

const fromSite = z.object({ site: z.string() });

/** The one way to the building: bounded in time and size, and only an answer of this very building is one. */
async function ask(site: Site, call: `${string} ${string}`, sent: JsonObject | null = null): Promise<Said> {
  const [method = '', path = ''] = call.split(' ');
  const { status, body } = await exchanged(site, {
    method,
    url: `${site.config.address}${path}`,
    headers: { 'x-site': site.config.site, authorization: `Bearer ${site.target.secret?.reveal() ?? ''}` },
    body: sent === null ? null : JSON.stringify(sent),
    ca: null,
    limits: { bytes: MOST_BYTES, milliseconds: site.patience },
  });
  const said = fromSite.safeParse(body);
  if (!said.success || said.data.site !== site.config.site) {
    throw new ProviderUnavailable('another server answers where the building was');
  }
  if (status === 403 || (status >= 500 && !(status in NOT_THIS_ONE))) {
    throw new ProviderUnavailable(`the building answered ${status}`);
  }
  return { status, body };
}

async function exchanged({ exchange }: Site, call: Parameters<Exchange>[0]): Promise<Said> {
  try {
    const { status, body } = await exchange(call);
    return { status, body: JSON.parse(body) as unknown };
  } catch (fault) {
    // What is no JSON would be quoted by its error, and may hold a code.
    if (fault instanceof SyntaxError) throw new ProviderUnavailable('what answers there speaks no JSON');
    if (fault instanceof FetchFailed || fault instanceof FetchRefused) {
      throw new ProviderUnavailable(`the building did not answer: ${fault.message}`);
    }
    throw fault;
  }
}

async function done(site: Site, call: `${string} ${string}`): Promise<void> {
  const { status } = await ask(site, call);
  if (status !== 200) throw new ProviderUnavailable(`the building answered ${status} to ${call}`);
}
