/** A call as it leaves: Brevet's own writing of what was matched, with what Brevet sets and the key. */
import type { ForwardCall } from '../../core/forward.ts';
import { mayBeSent } from '../../core/gateway/target.ts';
import type { HttpTarget, Place } from '../../core/gateway/target.ts';
import { escaped, queryOf } from '../../core/gateway/text.ts';
import { Secret } from '../../core/secret.ts';
import { NO_BYTES } from './body.ts';
import type { SentBody } from './body.ts';
import type { Key } from './key.ts';

export interface Written {
  readonly method: string;
  /** Below the target's base path, escaped. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: ReadonlyMap<string, string>;
  readonly body: SentBody;
  /** In the tool's own log. */
  readonly lease: string;
  readonly signal: AbortSignal;
}

/** A question of Brevet's own. */
export const asked = (path: string, lease: string, signal: AbortSignal): Written => ({
  method: 'GET',
  path,
  query: [],
  headers: new Map([['accept', 'application/json']]),
  body: NO_BYTES,
  lease,
  signal,
});

/** What Brevet sets, by the kind of place. */
export function ownIn({ tenant_tie: tie, lease_field: log }: HttpTarget, lease: string, where: Place['in']) {
  const values = [
    ...(tie === undefined ? [] : [{ ...tie.forced, value: tie.value }]),
    ...(log === undefined ? [] : [{ ...log, value: lease }]),
  ];
  return Object.fromEntries(values.filter((one) => one.in === where).map(({ name, value }) => [name, value]));
}

export function outgoing(config: HttpTarget, key: Key, call: Written): ForwardCall {
  const query = queryOf([...call.query, ...Object.entries(ownIn(config, call.lease, 'query'))]);
  const shown = key.query === null ? '' : `${escaped(key.query.name)}=${escaped(key.query.value.reveal())}`;
  const all = [query, shown].filter((part) => part !== '').join('&');
  return {
    method: call.method,
    url: new Secret(`${config.origin}${config.base_path}${call.path}${all === '' ? '' : `?${all}`}`),
    headers: {
      ...Object.fromEntries([...call.headers].filter(([name]) => name !== 'content-type' && mayBeSent(config, name))),
      ...contentHeaders(call.body),
      'accept-encoding': 'identity',
      ...lowered(ownIn(config, call.lease, 'header')),
      ...key.headers,
    },
    body: call.body.bytes,
    ca: config.ca ?? null,
    mayBePrivate: config.private,
    pool: key.pool,
    signal: call.signal,
  };
}

const contentHeaders = ({ type, length }: SentBody): Record<string, string> => ({
  ...(type === null ? {} : { 'content-type': type }),
  ...(length === null ? {} : { 'content-length': String(length) }),
});

const lowered = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
