/**
 * Tokens of Vault or OpenBao: orphans, each with a token role of its own, which read what a task class names, and are
 * ended with all that they read, as far as there is an end to it.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { Exchange } from '../../core/fetch.ts';
import type { Random } from '../../core/ids.ts';
import { parseWith } from '../../core/parse.ts';
import { enforcedBy } from '../../core/provider.ts';
import type { Declaration, OpenTarget, RemoteProvider } from '../../core/provider.ts';
import type { TargetVersion } from '../../core/registers.ts';
import { ok } from '../../core/result.ts';
import { vaultTemplate } from '../../core/templates/vault.ts';
import { seconds } from '../../core/time.ts';
import type { Clock, Milliseconds } from '../../core/time.ts';
import { activityAt } from './activity.ts';
import { checkSite } from './check.ts';
import { PATIENCE } from './client.ts';
import { configOf, parseVaultConfig } from './config.ts';
import { endToken } from './end.ts';
import { fence, unfence } from './fence.ts';
import { listMarks } from './list.ts';
import { lookTwice, whatOutlives } from './look.ts';
import { mintToken } from './mint.ts';
import { openSite } from './site.ts';
import type { Signing } from './sign-in.ts';
import type { Site } from './site.ts';
import { specifyToken } from './specification.ts';

export interface VaultProviderOptions extends Signing {
  readonly exchange: Exchange;
  readonly random: Random;
  readonly clock: Clock;
  /** Lets http and `tls: off` stand for hosts elsewhere than on loopback: for networks that protect what crosses them. */
  readonly plaintextAnywhere?: boolean;
  /** How long one call may take before it is given up. */
  readonly patience?: Milliseconds;
}

/** Connections to databases are kept for as long as logins may live; `close` ends them all. */
export type VaultProvider = RemoteProvider & { close(): Promise<void> };

const LONGEST = seconds(3_600);
const SHORTEST = seconds(5);
const USUALLY_WITHIN = seconds(2);

export function vaultProvider(options: VaultProviderOptions): VaultProvider {
  const given = { ...options, patience: options.patience ?? PATIENCE };
  const sites = new Map<string, Site>();
  const siteOf = (target: OpenTarget): Site => {
    const { tenant, name, version } = target.version;
    const key = `${tenant}/${name}@${version}`;
    const known = sites.get(key);
    // The one used last stands last, so that the first are those of versions that are over.
    sites.delete(key);
    if (known === undefined) forgetIdle(sites);
    const site = known ?? openSite(target, given);
    sites.set(key, site);
    return site;
  };
  return {
    kind: 'vault',
    where: 'remote',
    parse(config) {
      const parsed = parseVaultConfig(config, options.plaintextAnywhere ?? false);
      return parsed.ok ? ok(toJson(parsed.value)) : parsed;
    },
    declare,
    specify: specifyToken,
    mint: (order, target) => mintToken(siteOf(target), order),
    revoke: (subject, target) => endToken(siteOf(target), subject),
    look: (subject, target) => lookTwice(siteOf(target), subject),
    fence: (subject, target) => fence(siteOf(target), subject),
    unfence: (subject, target) => unfence(siteOf(target), subject),
    list: (target) => listMarks(siteOf(target)),
    activity: (subject, target) => activityAt(siteOf(target), subject),
    endAll: null,
    check: (target) => checkSite(target, given),
    async close() {
      const open = [...sites.values()];
      sites.clear();
      await Promise.all(open.map((site) => site.close()));
    },
  };
}

/** As many versions as are in use at once at a large deployment; signing in again costs two calls. */
const MOST_SITES = 256;

function forgetIdle(sites: Map<string, Site>): void {
  for (const [key, site] of sites) {
    if (sites.size < MOST_SITES) return;
    if (site.isIdle()) sites.delete(key);
  }
}

/**
 * A login read with a token lives on in its sessions, and a value in somebody's memory: expiry ends neither. A template
 * of another form proves nothing.
 */
function declare(target: TargetVersion, template: JsonObject): Declaration {
  const asked = parseWith(vaultTemplate, template);
  const isProvable = asked.ok && whatOutlives({ config: configOf(target.config) }, asked.value.reads) === null;
  return {
    revokes: { within: USUALLY_WITHIN },
    evidence: isProvable
      ? 'the token and its engine leases at Vault, and the role catalog and session list of every named node'
      : null,
    expiryEndsUse: false,
    countsUses: true,
    seesUse: true,
    keepsSecret: false,
    enforces: enforcedBy('vault', template),
    shortest: SHORTEST,
    longest: LONGEST,
  };
}

const toJson = (config: object): JsonObject => JSON.parse(JSON.stringify(config)) as JsonObject;
