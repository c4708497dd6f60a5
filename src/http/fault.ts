/** What failed, as its caller is told: the one place where a fault becomes an answer. */
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import { StoreUnavailable } from '../core/store.ts';
import { seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';

/** A moment in which a database that restarts is back. */
const RETRY = seconds(2);

export function refusalFor(fault: Error, { log }: Pick<Deps, 'log'>, request: string): Failure {
  if (fault instanceof StoreUnavailable) {
    log.warn('store.unavailable', { request });
    return failure('database_unavailable', 'the database does not answer', { retryAfter: RETRY });
  }
  if (fault instanceof ProviderUnavailable) {
    log.warn('provider.unavailable', { request, why: fault.message });
    return failure('provider_unavailable', 'the provider does not answer', { retryAfter: RETRY });
  }
  log.error('fault', { request, fault: fault.name, message: fault.message, stack: fault.stack });
  return failure('internal', 'something failed here', { hint: 'Tell an operator the request_id.' });
}
