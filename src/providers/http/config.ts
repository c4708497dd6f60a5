/** A target of the gateway as an administrator writes it. */
import { isAtSameServer } from '../../core/audience.ts';
import { failure } from '../../core/failure.ts';
import { httpTarget, ownPlaces } from '../../core/gateway/target.ts';
import type { HttpTarget } from '../../core/gateway/target.ts';
import { parseWith } from '../../core/parse.ts';
import type { TargetVersion } from '../../core/registers.ts';
import { err } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

export function parseTarget(config: unknown, publicUrl: string): Result<HttpTarget> {
  const parsed = parseWith(httpTarget, config);
  if (!parsed.ok) return parsed;
  const why = whyNot(parsed.value, publicUrl);
  return why === null ? parsed : err(failure('invalid_target', why.what, { path: why.path, hint: why.hint }));
}

export const configOf = (target: TargetVersion): HttpTarget => httpTarget.parse(target.config);

interface Problem {
  readonly path: string;
  readonly what: string;
  readonly hint: string;
}

function whyNot(target: HttpTarget, publicUrl: string): Problem | null {
  const { origin, inject, key_reaches, tenant_tie, request_headers } = target;
  const urls = { origin, 'inject.token_url': inject.by === 'oauth' ? inject.token_url : origin };
  for (const [path, url] of Object.entries(urls)) {
    if (isAtSameServer(url, publicUrl)) {
      return { path, what: `${path} is at Brevet itself`, hint: 'Name the tool’s own server.' };
    }
  }
  if (key_reaches === 'several' && tenant_tie === undefined) {
    const what = 'a key that reaches several clients is tied to none of them';
    return { path: 'tenant_tie', what, hint: 'Say which value Brevet forces, and how an object is looked up.' };
  }
  const own = ownPlaces(target).map(({ in: where, name }) => `${where} ${name.toLowerCase()}`);
  const sharing = own.find((place, at) => own.indexOf(place) < at);
  if (sharing !== undefined) {
    return { path: 'inject', what: `two values would stand in ${sharing}`, hint: 'Give each a place of its own.' };
  }
  const shown = request_headers.find((name) => own.includes(`header ${name}`));
  if (shown === undefined) return null;
  const what = `an agent could set ${shown}, which Brevet sets`;
  return { path: 'request_headers', what, hint: 'Leave it out.' };
}
