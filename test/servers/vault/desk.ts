/** A client's Vault with a provider that mints there: what most of these suites begin with. */
import type { Exchange } from '../../../src/core/fetch.ts';
import type { MintTerms, Minted, OpenTarget, Subject } from '../../../src/core/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import type { Clock } from '../../../src/core/time.ts';
import { exchangesOnNode } from '../../../src/fetch/exchange-node.ts';
import { vaultProvider } from '../../../src/providers/vault/provider.ts';
import type { VaultProvider } from '../../../src/providers/vault/provider.ts';
import { clientVault } from '../../support/client-vault.ts';
import type { ClientVault } from '../../support/client-vault.ts';
import { openTargetOf, orderFor, processClock, random, subjectOf, termsOf, unsigning } from '../../support/target.ts';
import { READS_LOGIN } from './agent.ts';

export interface Issued {
  readonly minted: Minted;
  readonly subject: Subject;
}

export interface Desk extends ClientVault {
  readonly provider: VaultProvider;
  readonly target: OpenTarget;
  issue(template?: MintTerms['template'], more?: Partial<MintTerms>): Promise<Issued>;
  /** Another node of Brevet's: it remembers nothing. */
  another(of?: { readonly clock?: Clock; readonly around?: (exchange: Exchange) => Exchange }): VaultProvider;
  /** The same target, written another way. */
  targetOf(change: object): OpenTarget;
  close(): Promise<void>;
}

export async function openDesk(settings: Record<string, string> = {}): Promise<Desk> {
  const client = await clientVault(settings);
  const exchanges = exchangesOnNode();
  const made: VaultProvider[] = [];
  const another: Desk['another'] = ({ clock = processClock, around = (exchange: Exchange) => exchange } = {}) => {
    const exchange = around(exchanges.exchange);
    const provider = vaultProvider({ ...unsigning, exchange, random, clock, patience: milliseconds(2_000) });
    made.push(provider);
    return provider;
  };
  const provider = another();
  const targetOf = (change: object) =>
    openTargetOf(provider, { ...client.config, ...change }, { secret: client.secret });
  const target = targetOf({});
  return {
    ...client,
    provider,
    target,
    another,
    targetOf,
    issue: async (template = READS_LOGIN, more = {}) => {
      const order = orderFor(provider, target, termsOf(template, more));
      const minted = await provider.mint(order, target);
      return { minted, subject: subjectOf(order, { reference: minted.reference }) };
    },
    close: async () => {
      await Promise.all(made.map((one) => one.close()));
      exchanges.close();
      await client.stop();
    },
  };
}
