/** The life of a login through Vault's database engine: read, and its lease revoked; the answer comes when that is done. */
import { requestBytes } from '../connection.ts';
import type { VaultLoad, Step } from '../load.ts';

export function vaultLife({ token, role }: VaultLoad): Step {
  const type = 'application/json';
  const read = requestBytes('GET', `/v1/database/creds/${role}`, { type, token, body: '' });
  return async (connection) => {
    const { status, body } = await connection.send(read);
    if (status !== 200) throw new Error(`${status} ${body.slice(0, 500)}`);
    const { lease_id } = JSON.parse(body) as { readonly lease_id: string };
    const revoke = { type, token, body: JSON.stringify({ lease_id, sync: true }) };
    const ended = await connection.send(requestBytes('PUT', '/v1/sys/leases/revoke', revoke));
    if (ended.status !== 204) throw new Error(`${ended.status} ${ended.body.slice(0, 500)}`);
  };
}
