/** Ports for servers that must be told theirs before they start. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what systems hand out themselves: of those, one that is free now may be anybody's a moment later, and then a
 * test's broker is another test's server.
 */
const FIRST = 12_000;
const LAST = 31_999;

let next = FIRST + Math.floor(Math.random() * (LAST - FIRST));

/** A port that is free on loopback now, and that this process gives to nobody else before all others. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next;
    next = port === LAST ? FIRST : port + 1;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return once(probe.listen(port, '127.0.0.1'), 'listening').then(
    async () => {
      await once(probe.close(), 'close');
      return true;
    },
    () => false,
  );
}
