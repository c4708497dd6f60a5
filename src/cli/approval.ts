import { verifyApproval } from '../attribute/proof/approval.ts';
import type { ProvenWord } from '../attribute/proof/approval.ts';
import { isRecord } from '../client/call.ts';
import { BrevetRefused } from '../client/error.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given } from './command.ts';
import { readText } from './files.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import { printList } from './register.ts';
import { fields, print, shown } from './terminal.ts';

const pathOf = (given: Given): string => {
  const [tenant = '', id = ''] = given.need('APPROVAL').split('/');
  if (id === '') throw new UsageError('name it as TENANT/APPROVAL');
  return `/api/approvals/${encodeURIComponent(tenant)}/${encodeURIComponent(id)}`;
};

const list: Command = {
  name: 'approval list',
  says: 'Lists what people were asked, where you approve or oversee, newest first.',
  options: OPERATOR_OPTIONS,
  example: 'brevet approval list --as otto',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['id', 'tenant', 'agent', 'task', 'state', 'asked_at', 'expires_at', 'lease'];
    printList(terminal, await line.all('/api/approvals', {}), columns);
    return EXIT.done;
  },
};

const show: Command = {
  name: 'approval show',
  says: 'Shows one approval: what it binds, who was asked, and who said what.',
  takes: ['APPROVAL'],
  options: OPERATOR_OPTIONS,
  example: 'brevet approval show acme/apr_01jq… --as otto',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const approval = await line.send({ method: 'GET', path: pathOf(given) });
    print(terminal, approval, () => fields(approval));
    return EXIT.done;
  },
};

const evidence: Command = {
  name: 'approval export',
  says: 'Prints the evidence of an approval, by which anyone can verify it without Brevet.',
  takes: ['APPROVAL'],
  options: OPERATOR_OPTIONS,
  example: 'brevet approval export acme/apr_01jq… --as otto',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    terminal.out(JSON.stringify(await line.send({ method: 'GET', path: `${pathOf(given)}/evidence` }), null, 2));
    return EXIT.done;
  },
};

const verify: Command = {
  name: 'approval verify',
  says: 'Proves from exported evidence alone who signed what. It asks no broker.',
  takes: ['FILE'],
  options: {
    'public-key': { takes: 'KEY', says: 'the approver’s, as you know it from elsewhere (COSE, base64url)' },
    origin: { takes: 'URL', says: 'the deployment, as you know it from elsewhere' },
  },
  example: 'brevet approval verify evidence.json',
  run: async (given, terminal) => {
    const read = readEvidence(given.need('FILE'));
    const [origin, key] = [given.text('origin'), given.text('public-key')];
    if (origin !== undefined && read['origin'] !== origin)
      return refused(`it was signed for ${shown(String(read['origin']))}`);
    const proven = await verifyApproval(read);
    if (!proven.ok) return refused(proven.error.detail);
    const stranger = proven.value.find(({ publicKey }) => key !== undefined && publicKey !== key);
    if (stranger !== undefined) return refused(`${stranger.entry}: signed by another key than this`);
    print(terminal, { words: proven.value.map(wire) }, () => proven.value.map(sentence).join('\n'));
    return EXIT.done;
  },
};

function readEvidence(file: string): Readonly<Record<string, unknown>> {
  const text = readText(file);
  try {
    const read: unknown = JSON.parse(text);
    if (isRecord(read)) return read;
  } catch (error) {
    // Its own words would show how the file begins, and that may be a key which was named by mistake.
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(`${file}: this is no evidence: an object in JSON, as brevet approval export prints it`);
}

function refused(detail: string): never {
  const problem = {
    status: 403,
    code: 'not_proven',
    detail,
    hint: null,
    path: null,
    requestId: null,
    retryAfterMs: null,
    members: {},
  };
  throw new BrevetRefused(problem);
}

const wire = ({ person, at, statement, publicKey, entry, package: seen }: ProvenWord) => ({
  person,
  at,
  entry,
  public_key: publicKey,
  statement,
  package: seen,
});

/** Whose key it is, and whose origin, the evidence alone says: they are there to be held against what is known. */
const sentence = ({ person, at, statement, entry, publicKey }: ProvenWord): string =>
  `${shown(person)} signed «${statement.verdict}» on ${statement.approval_id} at ${shown(statement.tenant)}, ${shown(at)}\n` +
  `  package ${statement.package_hash}\n  entry   ${entry}\n  key     ${publicKey}`;

export const commands: readonly Command[] = [list, show, evidence, verify];
