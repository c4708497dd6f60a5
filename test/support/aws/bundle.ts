/** What a security lead and an administrator write so that reports are read at AWS. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { temporaryFolder } from '../leftovers.ts';
import { copyWithoutCases } from '../policy.ts';
import { TENANT } from './front.ts';
import type { Front } from './front.ts';
import { REGIONS, ROLE, TEMPLATE } from './world.ts';

/** The shipped bundle, whose reports are read at AWS instead of in a database. */
export async function policyForAws(): Promise<string> {
  const folder = await copyWithoutCases(await temporaryFolder('policy'));
  const file = join(folder, 'tasks.yaml');
  const tasks = parseDocument(await readFile(file, 'utf8'));
  const of = (name: string) => ['tasks', 'report.query', name];
  tasks.setIn(of('provider'), 'aws');
  tasks.setIn(of('template'), TEMPLATE);
  tasks.setIn(of('ceilings'), { ttl: 1_800 });
  tasks.setIn(of('parameters'), {
    type: 'object',
    additionalProperties: false,
    required: ['ticket'],
    properties: { ticket: { type: 'string', maxLength: 20, pattern: '^[a-z0-9*-]{1,20}$' } },
  });
  await writeFile(file, tasks.toString());
  return folder;
}

const roleArn = (name: string): string => `arn:aws:iam::${TENANT}:role/brevet/${name}`;

export const targetAt = (front: Front, role: string = ROLE) => ({
  provider: 'aws',
  config: {
    role_arn: roleArn(role),
    control_role_arn: roleArn(`${role}-control`),
    regions: REGIONS,
    endpoint: front.url,
  },
  secret: JSON.stringify({
    access_key_id: front.broker.accessKeyId,
    secret_access_key: front.broker.secretAccessKey,
  }),
  environment: 'production',
});
