/** Whether what a call names is this tenant's, at a tool whose key reaches several: asked of the tool, before each call. */
import type { Json, JsonObject } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import type { Forward } from '../../core/forward.ts';
import type { SpecifiedCall } from '../../core/gateway/specification.ts';
import type { HttpTarget, Lookup } from '../../core/gateway/target.ts';
import { segmentOf } from '../../core/gateway/text.ts';
import type { Key } from './key.ts';
import { asked, outgoing } from './outgoing.ts';
import { readJsonAnswer } from './read.ts';

/** An object of a tool is some kilobytes. */
const LARGEST = 512 * 1024;

/** The same for what is another's, what is not there, and what cannot be told. */
const NOT_KNOWN = failure('gateway_not_this_tenants', 'the tool does not say that this is the client’s', {
  hint: 'Look at the id. A target’s look-up says how it is known whose one is.',
});

/** Why a call is not made. */
export interface NotTied {
  readonly failure: Failure;
  /** What was asked with is not taken by the tool, or not any more. */
  readonly isKeyRefused: boolean;
}

const notTied = (failure: Failure, isKeyRefused = false): NotTied => ({ failure, isKeyRefused });

/** @see RFC 9110 section 15.5.2 */
const UNAUTHORIZED = 401;

export const needsLookup = ({ tenant_tie: tie }: HttpTarget, { objects }: SpecifiedCall): boolean =>
  tie !== undefined && objects.length > 0;

export async function whyNotTied(
  forward: Forward,
  config: HttpTarget,
  {
    call,
    key,
    lease,
    signal,
  }: {
    readonly call: SpecifiedCall;
    readonly key: Key;
    readonly lease: string;
    readonly signal: AbortSignal;
  },
): Promise<NotTied | null> {
  const { tenant_tie: tie } = config;
  if (tie === undefined) return null;
  for (const { lookup: kind, object } of call.objects) {
    const lookup = Object.hasOwn(tie.lookups, kind) ? tie.lookups[kind] : undefined;
    const path = lookup === undefined ? null : pathOf(lookup, object);
    if (lookup === undefined || path === null) return notTied(NOT_KNOWN);
    const read = await readJsonAnswer(forward, outgoing(config, key, asked(path, lease, signal)), LARGEST);
    if (!read.ok) return notTied(read.error);
    const { status, json } = read.value;
    if (status !== 200 || valueAt(json, lookup.pointer) !== tie.value) {
      return notTied(NOT_KNOWN, status === UNAUTHORIZED);
    }
  }
  return null;
}

function pathOf({ path }: Lookup, object: string): string | null {
  const segment = segmentOf(object);
  return segment === null ? null : path.replace('{object}', () => segment);
}

/** @returns as text, what is a text or a whole number there. @see RFC 6901 section 4 */
function valueAt(json: Json, pointer: string): string | null {
  let value: Json | undefined = json;
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return null;
    value = (value as JsonObject)[name];
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : null;
  return typeof value === 'string' ? value : null;
}
