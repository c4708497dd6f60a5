/** The console: pages for people, mounted at `/`. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { StoreUnavailable } from '../core/store.ts';
import type { Scope } from '../http/scope.ts';
import { absence } from './absence.ts';
import { account } from './account.ts';
import { agents } from './agents.ts';
import { approvals } from './approvals.ts';
import { assets } from './assets.ts';
import { barePage } from './bare.ts';
import { liftingBlocks } from './block/lift.ts';
import { raisingBlocks } from './block/raise.ts';
import { blocks } from './blocks.ts';
import { changes } from './changes.ts';
import { exposure } from './exposure.ts';
import { home } from './home.ts';
import { inventory } from './inventory.ts';
import { invitation } from './invitation.ts';
import { leases } from './leases.ts';
import { judgments } from './lease/afterwards.ts';
import { live } from './live.ts';
import { policy } from './policy.ts';
import { reversal } from './reversal.ts';
import { reviews } from './reviews.ts';
import { signingIn } from './sign-in.ts';
import { tenants } from './tenants.ts';
import { trips } from './trips.ts';

export const pages = new Hono<Scope>();

for (const part of [
  assets,
  home,
  approvals,
  signingIn,
  account,
  absence,
  changes,
  invitation,
  live,
  leases,
  judgments,
  reversal,
  // Before the page of one block, which would take its path for an id.
  raisingBlocks,
  liftingBlocks,
  blocks,
  reviews,
  agents,
  tenants,
  trips,
  exposure,
  policy,
  inventory,
])
  pages.route('/', part);

pages.onError((fault, c) => {
  const { log } = c.var.deps;
  const code = fault instanceof StoreUnavailable ? 'database_unavailable' : 'internal';
  if (code === 'internal') {
    log.error('fault', { request: c.var.requestId, fault: fault.name, message: fault.message, stack: fault.stack });
  } else log.warn('store.unavailable', { request: c.var.requestId });
  const next = 'Nothing was done. Try again in a moment, and tell an administrator the request if it stays so.';
  return barePage(c, code, html`<p>${next}</p>`);
});
