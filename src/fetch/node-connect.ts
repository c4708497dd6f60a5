/**
 * A connection to another server, under the guard of requests: every address of a name is looked at, and the one that
 * it stands at.
 * @node-only
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FetchRefused } from '../core/fetch.ts';
import { checkUrl } from '../authenticate/address.ts';
import type { Reach } from '../authenticate/address.ts';
import { asFetchError, byDns, lookupWithin, watch } from './node.ts';
import type { Resolve } from './node.ts';

const CONNECT_MS = 10_000;

export const guardedConnect =
  (reach: Reach, resolve: Resolve = byDns) =>
  (host: string, port: number): Promise<Socket> => {
    // As a URL's host, so that it is looked at as every other.
    const allowed = checkUrl(`https://${host.includes(':') ? `[${host}]` : host}`, reach);
    if (typeof allowed === 'string') return Promise.reject(new FetchRefused(`refused: ${allowed}`));
    return new Promise((done, failed) => {
      const socket = connect({ host, port, lookup: lookupWithin(allowed, resolve), timeout: CONNECT_MS });
      const fail = (fault: Error): void => {
        socket.destroy();
        failed(asFetchError(fault));
      };
      socket.once('error', fail);
      socket.once('timeout', () => fail(new Error('timeout')));
      watch(socket, allowed, fail);
      socket.once('connect', () => {
        socket.off('error', fail);
        socket.setTimeout(0);
        socket.removeAllListeners('timeout');
        done(socket);
      });
    });
  };
