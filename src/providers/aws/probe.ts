/** Asks AWS as a session itself whether it is let through: the only way to see that one is dead. */
import { DecodeAuthorizationMessageCommand } from '@aws-sdk/client-sts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { KeyPair } from './config.ts';
import { AwsRefusal } from './fault.ts';
import type { DenialReason } from './fault.ts';
import { send } from './site.ts';
import type { Site } from './site.ts';

export type Answer =
  | { readonly region: string; readonly is: 'let through' }
  | { readonly region: string; readonly is: 'refused'; readonly reason: DenialReason }
  /** The session itself is over. */
  | { readonly region: string; readonly is: 'expired' }
  | { readonly region: string; readonly is: 'unknown'; readonly why: string };

/** No message of AWS's: whoever may have such messages read is told that this is none. */
const NO_MESSAGE = 'brevet';

/** In every region at once; a session is over when it is so in each. */
export const probe = (site: Site, keys: KeyPair, regions: readonly string[]): Promise<readonly Answer[]> =>
  Promise.all(regions.map((region) => probeIn(site, keys, region)));

async function probeIn(site: Site, keys: KeyPair, region: string): Promise<Answer> {
  const client = site.sessionClient(keys, region);
  try {
    await send(site, 'probe a session', (abortSignal) =>
      client.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: NO_MESSAGE }), { abortSignal }),
    );
    return { region, is: 'let through' };
  } catch (fault) {
    if (!(fault instanceof ProviderUnavailable)) throw fault;
    return { region, ...answerIn(fault) };
  } finally {
    client.destroy();
  }
}

function answerIn(fault: ProviderUnavailable) {
  if (!(fault instanceof AwsRefusal)) return { is: 'unknown', why: fault.message } as const;
  if (fault.code.startsWith('InvalidAuthorizationMessage')) return { is: 'let through' } as const;
  if (fault.code.startsWith('ExpiredToken')) return { is: 'expired' } as const;
  return fault.isDenial
    ? ({ is: 'refused', reason: fault.reason ?? 'untold' } as const)
    : ({ is: 'unknown', why: fault.message } as const);
}
