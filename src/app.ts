/** `createApp(deps)`: mounts the routes, and has the one `onError`. */
import { Hono } from 'hono';
import { nothingHerePage, wantsPage } from './console/bare.ts';
import { pages } from './console/pages.ts';
import { failure, NOTHING_HERE } from './core/failure.ts';
import { newId } from './core/ids.ts';
import type { Deps } from './deps.ts';
import { absences } from './http/absences.ts';
import { acceptances } from './http/acceptances.ts';
import { admin } from './http/admin.ts';
import { approvals } from './http/approvals.ts';
import { assignments } from './http/assignments.ts';
import { blocks } from './http/blocks.ts';
import { changes } from './http/changes.ts';
import { context } from './http/context.ts';
import { refusalFor } from './http/fault.ts';
import { gateway } from './http/gateway.ts';
import { health } from './http/health.ts';
import { inventories } from './http/inventory.ts';
import { leases } from './http/leases.ts';
import { oauth } from './http/oauth.ts';
import { passkeys } from './http/passkeys.ts';
import { allOrders, orders } from './http/orders.ts';
import { overseeing } from './http/oversight.ts';
import { pauses } from './http/pauses.ts';
import { policy } from './http/policy.ts';
import { offboarding } from './http/offboard.ts';
import { reconciling } from './http/reconcile.ts';
import { requests } from './http/requests.ts';
import { reviews } from './http/reviews.ts';
import type { Scope } from './http/scope.ts';
import { trips } from './http/trips.ts';
import { errors, keys, metadata } from './http/well-known.ts';
import { problem } from './http/wire.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

/** Beside what is there for every path. */
const isServed = (app: Hono<Scope>, method: string, path: string): boolean =>
  app.router.match(method, path)[0].length > app.router.match('TRACE', path)[0].length;

/** @param depsOf on Workers each request has its own. */
export function createApp(depsOf: (env: Scope['Bindings']) => Deps): Hono<Scope> {
  const app = new Hono<Scope>();
  app.use(async (c, next) => {
    const deps = depsOf(c.env);
    c.set('deps', deps);
    c.set('requestId', newId('cal', deps.clock(), deps.random));
    // Before there is an answer: set on one that is made, they would have it made once more.
    c.header('x-request-id', c.var.requestId);
    c.header('x-content-type-options', 'nosniff');
    await next();
  });
  app.route('/', health);
  app.route('/', pages);
  app.route('/errors', errors);
  app.route('/api/approvals', approvals);
  app.route('/api/assignments', assignments);
  app.route('/api/blocks', blocks);
  app.route('/api/changes', changes);
  app.route('/api/orders', allOrders);
  app.route('/api/oversight', overseeing);
  app.route('/api/pauses', pauses);
  app.route('/api/policy', policy);
  app.route('/api/reconcile', reconciling);
  app.route('/api/reviews', reviews);
  app.route('/api/trips', trips);
  app.route('/api/tenants/:tenant/acceptances', acceptances);
  app.route('/api/people', absences);
  app.route('/api', admin);
  app.route('/api', context);
  app.route('/api', offboarding);
  app.route('/api', passkeys);
  app.route('/api', inventories);
  app.route('/t/:tenant', oauth);
  app.route('/t/:tenant/requests', requests);
  app.route('/t/:tenant/leases', leases);
  app.route('/t/:tenant/orders', orders);
  app.route('/t/:tenant/gateway', gateway);
  app.get('/t/:tenant/jwks', keys);
  // RFC 8414 puts the well-known part before the issuer's path; OpenID discovery puts it behind.
  app.get('/.well-known/oauth-authorization-server/t/:tenant', metadata);
  app.get('/t/:tenant/.well-known/openid-configuration', metadata);
  app.notFound((c) => {
    const allowed = METHODS.filter((method) => isServed(app, method, c.req.path));
    if (allowed.length === 0) return wantsPage(c) ? nothingHerePage(c) : problem(c, NOTHING_HERE);
    const hint = `Use ${allowed.join(' or ')}.`;
    const refused = problem(c, failure('method_not_allowed', `${c.req.method} is not for this`, { hint }));
    refused.headers.set('allow', allowed.join(', '));
    return refused;
  });
  app.onError((fault, c) => problem(c, refusalFor(fault, c.var.deps, c.var.requestId)));
  return app;
}
