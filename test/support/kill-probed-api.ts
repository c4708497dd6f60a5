/** A client's own API that asks about each token, as its target's probe meets it: 200 while the lease lives, then 401 `invalid_token`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { withAdmin } from './postgres.ts';
import type { KillWorld } from './kill-world.ts';

export interface ProbedApi {
  readonly url: string;
  close(): Promise<void>;
}

export async function probedApi({ database }: Pick<KillWorld, 'database'>): Promise<ProbedApi> {
  const isLive = async (token: string): Promise<boolean> => {
    const { jti = '' } = decodeJwt(token);
    const rows = await withAdmin(
      database.admin,
      (sql) => sql`select from leases where id = ${jti} and state in ('opening', 'active')`,
    );
    return rows.length > 0;
  };
  const server = createServer((request, response) => {
    isLive((request.headers.authorization ?? '').replace('Bearer ', '')).then(
      (live) =>
        (live ? response : response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' })).end(),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
