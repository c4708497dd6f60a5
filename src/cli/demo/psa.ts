/** A tool of the MSP's in the demo: it holds the tickets of several clients behind one API key, as such tools do. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '../../core/secret.ts';

/** What the tool calls the client Acme. */
const ACME = '4711';

export const TICKETS: Readonly<
  Record<string, { readonly subject: string; readonly company: { readonly id: string } }>
> = {
  'ACME-17': { subject: 'Printer on the second floor is on fire', company: { id: ACME } },
  'NWC-3': { subject: 'A patient cannot sign in', company: { id: '4712' } },
};

export interface Psa {
  /** What an administrator writes as the target. */
  readonly target: Readonly<Record<string, unknown>>;
  /** The address that it was last called from with its key, by whom it is told. */
  readonly told: () => string | undefined;
  stop(): Promise<void>;
}

export async function startPsa(): Promise<Psa> {
  const key = new Secret(randomBytes(24).toString('base64url'));
  let lease: string | undefined;
  const server = createServer((request, response) => {
    const ticket = TICKETS[request.url?.replace('/tickets/', '') ?? ''];
    const status = request.headers['x-api-key'] !== key.reveal() ? 401 : ticket === undefined ? 404 : 200;
    lease = request.headers['x-correlation-id']?.toString() ?? lease;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(ticket ?? {}));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const config = {
    origin: `http://127.0.0.1:${port}`,
    private: true,
    inject: { by: 'header', name: 'x-api-key' },
    key_reaches: 'several',
    tenant_tie: {
      value: ACME,
      forced: { in: 'header', name: 'x-company' },
      lookups: { ticket: { path: '/tickets/{object}', pointer: '/company/id' } },
    },
    lease_field: { in: 'header', name: 'x-correlation-id' },
  };
  return {
    target: { provider: 'http', config, secret: key.reveal(), environment: 'production', data_classes: [] },
    told: () => lease,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
