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

/** For as long as the version is kept that it belongs to: a mint and its kill ask three times. Values, no promises. */
const opened = new WeakMap<Keyring, WeakMap<TargetVersion, OpenTarget>>();

export async function openTarget(keyring: Keyring, version: TargetVersion): Promise<OpenTarget> {
  const { secret, tenant, name } = version;
  if (secret === null) return { version, secret };
  const known = opened.get(keyring) ?? new WeakMap<TargetVersion, OpenTarget>();
  const before = known.get(version);
  if (before !== undefined) return before;
  const target = { version, secret: await keyring.open(targetPurpose(tenant, name), secret) };
  opened.set(keyring, known.set(version, target));
  return target;
}
