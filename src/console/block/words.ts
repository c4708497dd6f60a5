/** What a block stops, and where, in words. */
import { html } from 'hono/html';
import type { TenantName } from '../../core/ids.ts';
import type { KeptBlock } from '../../core/store/blocks.ts';
import type { Markup } from '../layout.ts';
import { untrusted } from '../untrusted.ts';

export const nameOf = ({ scope, name }: Pick<KeptBlock, 'scope' | 'name'>): Markup =>
  scope === 'everything' ? html`<strong>everything</strong>` : html`${scope} <strong>${untrusted(name)}</strong>`;

/** A few by name. */
const NAMED = 4;
export const placesOf = (tenants: readonly TenantName[]): string =>
  tenants.length <= NAMED
    ? tenants.join(', ')
    : `${tenants.slice(0, NAMED - 1).join(', ')} and ${tenants.length - NAMED + 1} more`;
