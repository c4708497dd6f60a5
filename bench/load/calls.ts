/** Calls of a tool: each connection has its own path and token, as each agent has its own lease. */
import type { Connection } from '../connection.ts';
import type { CallLoad, Step } from '../load.ts';

export function toolCalls({ callers }: CallLoad): Step {
  const requests = callers.map(({ path, token }) =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`),
  );
  const places = new Map<Connection, number>();
  return async (connection) => {
    const place = places.get(connection) ?? places.size;
    places.set(connection, place);
    const request = requests[place % requests.length];
    if (request === undefined) throw new Error('a load without callers');
    const { status, body } = await connection.send(request);
    if (status !== 200) throw new Error(`${status} ${body.slice(0, 500)}`);
  };
}
