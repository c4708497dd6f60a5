import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { verifyApproval } from '../../../src/attribute/proof/approval.ts';
import { leafHash } from '../../../src/core/entry.ts';
import { must, testApp } from '../../support/app.ts';
import { deciding, NO } from '../../support/deciding.ts';

const app = await testApp();
const { ask, say, redeem } = await deciding(app);

interface Exported {
  approval: string;
  tenant: string;
  origin: string;
  entries: { id: string; text: string; leaf_hash: string; kind: string; values: { name: string; value: unknown }[] }[];
}

async function exported(word?: typeof NO): Promise<Exported> {
  const waiting = await ask();
  await say('paula', waiting, word === undefined ? {} : { word });
  await redeem(waiting);
  const { body } = must(await app.operator('otto', 'GET', `/api/approvals/acme/${waiting.approval}/evidence`));
  return body as unknown as Exported;
}

const evidence = await exported();
const wordIn = (of: Exported) => {
  const found = of.entries.find(({ kind }) => kind === 'approval.answered');
  if (found === undefined) throw new Error('nobody answered');
  return found;
};

const proof = suite('the proof of an approval');

proof('says who signed what, from what was exported alone', async () => {
  const proven = await verifyApproval(evidence);
  assert.ok(proven.ok, JSON.stringify(proven));
  const [word] = proven.ok ? proven.value : [];
  assert.equal([word?.person, word?.statement.purpose], ['paula', 'approve']);
  assert.is((word?.package as { mint: { task: string } } | undefined)?.mint.task, 'firewall.change');
});

proof('says so of a no, with its reason', async () => {
  const proven = await verifyApproval(await exported(NO));
  const [word] = proven.ok ? proven.value : [];
  assert.equal(word?.statement.purpose === 'reject' && [word.statement.reason, word.statement.words], [
    'wrong_client',
    'Not at this clinic',
  ]);
});

/** With its leaf hash made anew, as one who owns the database could. */
function rewritten(change: (text: string) => string): (of: Exported) => void {
  return (of) => {
    const entry = wordIn(of);
    entry.text = change(entry.text);
    entry.leaf_hash = leafHash(entry.text);
  };
}

const valueOf = (of: Exported, name: string) => {
  const found = wordIn(of).values.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

const otherDigit = (_: string, one: string): string => `"package_hash":"${one === '0' ? '1' : '0'}`;

const CHANGED: readonly (readonly [what: string, change: (of: Exported) => void])[] = [
  ['a byte of its text', (of) => (wordIn(of).text = wordIn(of).text.replace('paula', 'paulb'))],
  ['the person, with the leaf hash', rewritten((text) => text.replaceAll('"paula"', '"olga"'))],
  ['the package hash, with the leaf hash', rewritten((text) => text.replace(/"package_hash":"(.)/, otherDigit))],
  [
    'the signature, with the leaf hash',
    rewritten((text) =>
      text.replace(
        /"signature":"(.{30})(.)/,
        (_, head: string, one: string) => `"signature":"${head}${one === 'A' ? 'B' : 'A'}`,
      ),
    ),
  ],
  ['the tenant, with the leaf hash', rewritten((text) => text.replace('"ledger":"acme"', '"ledger":"birch"'))],
  [
    'a byte of the package',
    (of) => (valueOf(of, 'package').value = String(valueOf(of, 'package').value).replace('23', '24')),
  ],
  [
    'the statement',
    (of) => (valueOf(of, 'statement').value = { ...(valueOf(of, 'statement').value as object), nonce: '0' }),
  ],
  ['the deployment', (of) => (of.origin = 'https://elsewhere.example')],
  ['the approval that it is about', (of) => (of.approval = 'apr_00000000000000000000000000')],
  [
    'the key',
    rewritten((text) =>
      text.replace(
        /"public_key":"(.{20})(.)/,
        (_, head: string, one: string) => `"public_key":"${head}${one === 'A' ? 'B' : 'A'}`,
      ),
    ),
  ],
  ['its text to what is no JSON, with the leaf hash', rewritten(() => '{')],
  ['a member of its text to stand twice, with the leaf hash', rewritten((text) => text.replace('{', '{"at":"",'))],
  [
    'what it is an entry of, with the leaf hash',
    rewritten((text) => text.replace('approval.answered', 'approval.asked')),
  ],
  ['the entry that it says it is', (of) => (wordIn(of).id = 'ent_00000000000000000000000000')],
  ['how often a word stands in it', (of) => of.entries.push(structuredClone(wordIn(of)))],
  ['that there is a word at all', (of) => (of.entries = of.entries.filter(({ kind }) => kind !== 'approval.answered'))],
];
for (const [what, change] of CHANGED) {
  proof(`fails once somebody has changed ${what}`, async () => {
    const other = structuredClone(evidence);
    change(other);
    assert.not.equal(other, evidence, 'nothing was changed');
    assert.not.ok((await verifyApproval(other)).ok);
  });
}

proof('says of an ask that nobody has answered that there is nothing to prove', async () => {
  const none = await verifyApproval({ ...evidence, entries: [] });
  assert.match(none.ok ? '' : none.error.detail, 'nobody has answered it: there is nothing to prove');
});

proof('is told to nobody who neither approves nor oversees there', async () => {
  const path = `/api/approvals/acme/${evidence.approval}/evidence`;
  assert.is((await app.operator('ada', 'GET', path)).status, 404);
});

proof.after(() => app.close());
proof.run();
