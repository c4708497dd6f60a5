/**
 * Requests for a token as Node itself takes them: forms of a stated length, by a path that is written in one way alone.
 * Request, Response and Headers of the web cost as much as a tenth of all that is made of such a request. All else goes by
 * the app, whose route says the same.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import { BODY_LIMIT, FORM_TYPE, formIn, textIn } from '../http/body.ts';
import { tenantNamed } from '../http/caller.ts';
import { revokeUnlessWritten } from '../http/delivery.ts';
import { tokenFor } from '../http/token.ts';
import type { Form } from '../http/token.ts';
import { headersOf, taking, writeWire } from './edge.ts';

/** No name is written otherwise; what is, is for the app to read. */
const TOKEN = /^\/t\/([a-z0-9-]+)\/token$/;

interface Asked {
  readonly tenant: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** @param otherwise serves every other request. */
export const tokensFirst =
  (deps: Deps, otherwise: RequestListener): RequestListener =>
  (request, response) => {
    const asked = askedBy(request);
    if (asked === null) return otherwise(request, response);
    deps.background(answer(deps, asked, request, response));
  };

function askedBy(request: IncomingMessage): Asked | null {
  const tenant = request.method === 'POST' ? TOKEN.exec(request.url ?? '')?.[1] : undefined;
  if (tenant === undefined) return null;
  const headers = headersOf(request);
  const length = headers.get('content-length');
  const isBounded = length !== undefined && Number(length) <= BODY_LIMIT;
  return isBounded && headers.get('content-type') === FORM_TYPE ? { tenant, headers } : null;
}

const answer = (
  deps: Deps,
  { tenant, headers }: Asked,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> =>
  taking(deps, { request, response }, async ({ always }) => {
    const body = await bodyOf(request);
    // Whoever hung up in the middle reads no answer.
    if (body === null) return;
    const wire = await tokenFor(deps, {
      tenant: tenantNamed(tenant),
      form: formOf(body),
      key: headers.get('idempotency-key'),
      leaving: (lease) => revokeUnlessWritten(deps, lease, { isGone: response.destroyed, outgoing: response }),
    });
    writeWire(response, wire, always);
  });

function formOf(body: Uint8Array): Result<Form> {
  const text = textIn(body);
  return text.ok ? formIn(text.value) : text;
}

/** @returns `null` where it broke off. The server reads no more than was stated. */
function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => resolve(null));
  });
}
