/** A target's secret is opened only on its way to a provider. */
import type { OpenTarget } from '../core/provider.ts';
import type { TargetVersion } from '../core/registers.ts';
import type { Keyring, Purpose } from '../core/seal.ts';
import type { TargetName, TenantName } from '../core/ids.ts';

/** Bound to tenant and target: a secret copied to another row does not open. */
export const targetPurpose = (tenant: TenantName, target: TargetName): Purpose => ({
  tenant,
  use: 'target-secret',
  subject: target,
});

export async function openTarget(keyring: Keyring, version: TargetVersion): Promise<OpenTarget> {
  if (version.secret === null) return { version, secret: null };
  return { version, secret: await keyring.open(targetPurpose(version.tenant, version.name), version.secret) };
}
