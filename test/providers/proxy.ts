/** A TCP proxy that can stall, lose and redirect what goes through it: a network on a bad day. */
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { freePort } from '../support/port.ts';

export interface Proxy {
  readonly port: number;
  /** From now on nothing goes through in either direction, and nobody is told. */
  stall(): void;
  /** What was held goes through, late. */
  resume(): void;
  /** Every connection is reset. */
  cut(): void;
  /** New connections go to another server. */
  repoint(port: number): void;
  close(): Promise<void>;
}

export async function startProxy(to: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let target = to;
  let stalled = false;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => near.write(chunk));
    if (stalled) hold(pair);
  });
  const hold = (pair: readonly [Socket, Socket]) => pair.forEach((socket) => socket.pause());
  const cut = () => pairs.forEach(([near]) => near.resetAndDestroy());
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return {
    port,
    stall: () => {
      stalled = true;
      pairs.forEach(hold);
    },
    resume: () => {
      stalled = false;
      pairs.forEach((pair) => pair.forEach((socket) => socket.resume()));
    },
    cut,
    repoint: (other) => {
      target = other;
      cut();
    },
    close: async () => {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
}
