/** The life of a login through Brevet: asked for, and completed once it is there; the answer says how dead it is. */
import { requestBytes } from '../connection.ts';
import type { Connection } from '../connection.ts';
import type { LoginLoad, Step } from '../load.ts';

/** Long enough that every completion answers with the proof. */
const WAIT_S = 30;

interface Opened {
  readonly lease: { readonly id: string };
}

interface Ended {
  readonly lease: { readonly state: string; readonly death: unknown };
}

export function loginLife({ tenant, token, resource }: LoginLoad): Step {
  const ask = requestBytes('POST', `/t/${tenant}/requests`, {
    type: 'application/json',
    token,
    body: JSON.stringify({ task: 'report.query', resource, reason: 'The daily report is due' }),
  });
  return async (connection) => {
    const { lease } = await post<Opened>(connection, ask, 201);
    const complete = requestBytes('POST', `/t/${tenant}/leases/${lease.id}/complete?wait=${WAIT_S}`, {
      type: 'application/json',
      token,
      body: '{"outcome":"succeeded"}',
    });
    const ended = await post<Ended>(connection, complete, 200);
    if (ended.lease.state !== 'revoked') throw new Error(`a lease is ${JSON.stringify(ended.lease)}`);
  };
}

async function post<T>(connection: Connection, request: Buffer, wanted: number): Promise<T> {
  const { status, body } = await connection.send(request);
  if (status !== wanted) throw new Error(`${status} ${body.slice(0, 500)}`);
  return JSON.parse(body) as T;
}
