import type { Finding, OpenTarget } from '../../core/provider.ts';
import type { SiteOptions } from './site.ts';

export async function checkSite(_target: OpenTarget, _options: SiteOptions): Promise<readonly Finding[]> {
  return [];
}
