/** The server of a node: the app, and before it the requests for tokens and the calls through the gateway that Node takes by itself. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createApp } from '../app.ts';
import type { Deps } from '../deps.ts';
import { gatewayFirst } from './gateway.ts';
import { tokensFirst } from './token.ts';

/** @param hostname of requests that name none. */
export function nodeServer(deps: Deps, hostname: string): Server {
  // Its own Response in the global's place is what lets an answer go out in one write, with no stream in between.
  const app = getRequestListener(createApp(() => deps).fetch, { hostname, overrideGlobalObjects: true });
  return createServer(
    tokensFirst(
      deps,
      gatewayFirst(deps, (request, response) => void app(request, response)),
    ),
  );
}
