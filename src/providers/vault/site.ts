/**
 * A version of a target, with Brevet's session there and the databases that it may look into.
 */
import type { Exchange } from '../../core/fetch.ts';
import type { Random } from '../../core/ids.ts';
import type { OpenTarget } from '../../core/provider.ts';
import type { Clock, Milliseconds } from '../../core/time.ts';
import { vaultClient } from './client.ts';
import type { Vault } from './client.ts';
import { configOf } from './config.ts';
import type { VaultConfig } from './config.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { secretsOf } from './secret.ts';
import { openSession } from './session.ts';
import type { Session } from './session.ts';
import { signInOf } from './sign-in.ts';
import type { Signing } from './sign-in.ts';

export interface SiteOptions extends Signing {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly random: Random;
  readonly patience: Milliseconds;
}

export interface Site extends SiteOptions {
  readonly target: OpenTarget;
  readonly config: VaultConfig;
  readonly vault: Vault;
  readonly session: Session;
  /** In the order of the config. */
  readonly databases: readonly Database[];
  isIdle(): boolean;
  close(): Promise<void>;
}

export function openSite(target: OpenTarget, options: SiteOptions): Site {
  const config = configOf(target.version.config);
  const vault = vaultClient(config, options.exchange, options.patience);
  const secrets = secretsOf(target.secret);
  const session = openSession(vault, config, signInOf(config, secrets, target.version, options), options.clock);
  const databases = config.looks_into.map((at) => openDatabase(at, secrets.passwordOf(at), options.patience));
  return {
    ...options,
    target,
    config,
    vault,
    session,
    databases,
    isIdle: () => !databases.some((database) => database.isOpen()),
    close: async () => {
      await Promise.all(databases.map((database) => database.close()));
    },
  };
}
