/** The starting bundle with roles for an emergency. */
import type { BundleFiles } from '../../src/core/registers.ts';
import { must, rulesOnDisk } from './app.ts';
import type { Administered } from './administrators.ts';

const role = (name: string, description: string, lines: readonly string[]): string =>
  [
    `  ${name}:`,
    `    description: ${description}`,
    ...lines.map((line) => `    ${line}`),
    '    tenants: all',
    '    owner: security-lead',
    '    next_review: 2027-01-31',
    '',
  ].join('\n');

export const MORE_ROLES = [
  role('emergency', 'Cuts endpoints off in an emergency.', [
    'function: execution',
    'break_glass: true',
    'tasks: [endpoint.isolate]',
  ]),
  role('emergency-network', 'Changes firewall rules in an emergency.', [
    'function: execution',
    'break_glass: true',
    'tasks: [firewall.change]',
  ]),
].join('\n');

export async function withMoreRoles(): Promise<BundleFiles> {
  const files = await rulesOnDisk();
  return { ...files, 'roles.yaml': `${files['roles.yaml']}\n${MORE_ROLES}` };
}

/** Proposed by ada, confirmed by alan. */
export async function activate({ as }: Pick<Administered, 'as'>, files: BundleFiles): Promise<void> {
  const proposed = must(await as('ada', 'POST', '/api/policy/propose', { files, reason: 'For a test' }));
  const { id, hash } = proposed.body['change'] as { id: string; hash: string };
  must(await as('alan', 'POST', '/api/policy/activate', { change: id, hash }));
}

/** Something that takes two: proposed by ada, confirmed by alan. */
export async function byTwo({ as }: Pick<Administered, 'as'>, act: object): Promise<void> {
  const proposed = must(await as('ada', 'POST', '/api/changes', { ...act, reason: 'For a test' }));
  const { id, hash } = (proposed.body['change'] ?? proposed.body) as { id: string; hash: string };
  must(await as('alan', 'POST', `/api/changes/${id}/confirm`, { hash }));
}

/** tess, who administered acme, oversees it instead. */
export async function tessOversees(world: Administered): Promise<void> {
  const { items } = must(await world.as('ada', 'GET', '/api/assignments?tenant=acme')).body;
  const held = (items as { id: string; holder: { person?: string } }[]).find(({ holder }) => holder.person === 'tess');
  must(await world.as('ada', 'DELETE', `/api/assignments/${String(held?.id)}`));
  await oversees(world, 'tess', 'overseer');
}

export const oversees = (world: Administered, person: string, role: string): Promise<void> =>
  byTwo(world, { act: 'assignment.put', body: { tenant: 'acme', holder: { person }, role } });
