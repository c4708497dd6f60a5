/** The shipped bundle with reports that are read at AWS and through a client's Vault too. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { READS_LOGIN } from '../servers/vault/agent.ts';
import { TEMPLATE } from './aws/world.ts';

export const AT_AWS = 'report.read-cloud';
export const THROUGH_VAULT = 'report.read-vault';

const TICKET = {
  type: 'object',
  additionalProperties: false,
  required: ['ticket'],
  properties: { ticket: { type: 'string', maxLength: 20, pattern: '^[a-z0-9-]{1,20}$' } },
};

const CLASSES = {
  [AT_AWS]: { provider: 'aws', template: TEMPLATE, parameters: TICKET },
  [THROUGH_VAULT]: { provider: 'vault', template: READS_LOGIN },
};

const RULE = `@id("reporting-reads-elsewhere")
@reason("Reporting reads at AWS and through a Vault as it reads a database.")
permit (principal == Role::"reporting", action == Action::"perform", resource)
when { context.kind == "report" && context.reads_only };
`;

/** What is left alone for longer than anybody needs between two kills is still there. */
const NEVER_IDLE = { after: 3_600, unused: 3_600 };

const USED = ['report.query', 'ticket.route', 'ticket.read'];

/** @param folder a copy of the shipped bundle, which is changed. */
export async function bundleForKills(folder: string): Promise<void> {
  await edit(join(folder, 'tasks.yaml'), (tasks) => {
    const { tasks: known } = tasks.toJS() as { readonly tasks: Readonly<Record<string, object>> };
    const made = Object.entries(CLASSES).map(([name, more]) => [name, { ...known['report.query'], ...more }] as const);
    for (const [name, of] of [...USED.map((name) => [name, known[name]] as const), ...made]) {
      tasks.setIn(['tasks', name], structuredClone({ ...of, idle: NEVER_IDLE }));
    }
  });
  await edit(join(folder, 'roles.yaml'), (roles) => {
    roles.setIn(['roles', 'reporting', 'tasks'], ['report.query', ...Object.keys(CLASSES)]);
  });
  await writeFile(join(folder, 'rules', 'kills.cedar'), RULE);
}

async function edit(file: string, change: (of: ReturnType<typeof parseDocument>) => void): Promise<void> {
  const of = parseDocument(await readFile(file, 'utf8'));
  change(of);
  await writeFile(file, of.toString());
}
