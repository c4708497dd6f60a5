/**
 * Whether a person said this: from exported data alone, without asking Brevet, years later. Anyone who has the evidence
 * and the approver's public key can do the same with other tools; every step names what it rests on.
 */
import { z } from 'zod';
import { canonicalText } from '../../core/canonical.ts';
import type { Json } from '../../core/canonical.ts';
import { sha256Hex, utf8 } from '../../core/digest.ts';
import { commitmentTo, leafHash } from '../../core/entry.ts';
import { failure } from '../../core/failure.ts';
import type { PersonName } from '../../core/ids.ts';
import { parseWith } from '../../core/parse.ts';
import type { Passkey } from '../../core/passkey.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { DecisionStatement } from '../../core/statement.ts';
import { instant } from '../../core/time.ts';
import { parseAssertion, verifyAssertion } from '../../authenticate/passkey.ts';

const json = z.custom<Json>((value) => value !== undefined);

const valueForm = z.strictObject({
  part: z.enum(['said', 'seen']),
  name: z.string(),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  value: json,
});

/** An entry as it is exported: its exact text, and what stands beside it. */
const entryForm = z.strictObject({
  id: z.string(),
  kind: z.string(),
  text: z.string(),
  leaf_hash: z.string().regex(/^[0-9a-f]{64}$/),
  values: z.array(valueForm),
});

/** What `GET /api/approvals/{tenant}/{id}/evidence` answers with. */
const evidenceForm = z.object({
  approval: z.string(),
  tenant: z.string(),
  /** The deployment's URL, to which its passkeys are bound. */
  origin: z.url(),
  entries: z.array(entryForm).min(1, 'nobody has answered it: there is nothing to prove'),
});

const leafForm = z.object({
  id: z.string(),
  kind: z.literal('approval.answered'),
  ledger: z.string(),
  at: z.string(),
  actor: z.object({ person: z.string() }),
  facts: z.object({
    approval: z.string(),
    package_hash: z.string(),
    passkey: z.object({ credential: z.string(), public_key: z.string() }),
    assertion: json,
  }),
  said: z.record(z.string(), z.string()),
  seen: z.record(z.string(), z.string()),
});

export type ExportedEntry = z.infer<typeof entryForm>;

/** One word of one person, proven. */
export interface ProvenWord {
  readonly person: string;
  readonly at: string;
  readonly statement: DecisionStatement;
  readonly publicKey: string;
  /** What they were shown. */
  readonly package: Json;
  readonly entry: string;
}

/**
 * @param evidence as it was exported.
 * @returns every word that was signed; or the first thing that does not hold, by its entry.
 */
export async function verifyApproval(evidence: unknown): Promise<Result<readonly ProvenWord[]>> {
  const parsed = parseWith(evidenceForm, evidence);
  if (!parsed.ok) return parsed;
  const { approval, tenant, origin, entries } = parsed.value;
  const words: ProvenWord[] = [];
  const answers = entries.filter(({ kind }) => kind === 'approval.answered');
  if (new Set(answers.map(({ leaf_hash }) => leaf_hash)).size < answers.length) {
    return err(failure('invalid_request', 'a word of a person stands in it twice'));
  }
  for (const entry of answers) {
    const word = await verifyWord(entry, { approval, tenant, origin });
    if (!word.ok) return word;
    words.push(word.value);
  }
  return words.length > 0 ? ok(words) : err(failure('invalid_request', 'no word of a person is in this evidence'));
}

interface About {
  readonly approval: string;
  readonly tenant: string;
  readonly origin: string;
}

async function verifyWord(entry: ExportedEntry, about: About): Promise<Result<ProvenWord>> {
  const fails = (why: string): Result<never> => err(failure('invalid_request', `${entry.id}: ${why}`));
  if (leafHash(entry.text) !== entry.leaf_hash) return fails('its text is not what its leaf hash was made of');
  const text = jsonOf(entry.text);
  if (text === undefined || canonicalText(text) !== entry.text) return fails('its text is not canonical');
  const read = parseWith(leafForm, text);
  if (!read.ok) return fails(read.error.detail);
  const leaf = read.value;
  if (leaf.id !== entry.id) return fails('its text is of another entry');
  const stray = entry.values.find(({ part, name, salt, value }) => leaf[part][name] !== commitmentTo(salt, value));
  if (stray !== undefined) return fails(`its ${stray.name} is not what the leaf commits to`);
  const statement = valueIn(entry, 'said', 'statement') as DecisionStatement | null;
  const shown = valueIn(entry, 'seen', 'package');
  if (statement === null || typeof shown !== 'string') return fails('what was shown or signed is not there: erased?');
  if (sha256Hex(utf8(shown)) !== leaf.facts.package_hash) return fails('the package is not the one that was signed');
  const isThis =
    statement.package_hash === leaf.facts.package_hash &&
    statement.approval_id === leaf.facts.approval &&
    statement.approval_id === about.approval &&
    statement.tenant === leaf.ledger &&
    statement.tenant === about.tenant &&
    statement.approver === leaf.actor.person;
  if (!isThis) return fails('what was signed is about something else');
  const assertion = parseAssertion(leaf.facts.assertion);
  if (!assertion.ok) return fails(assertion.error.detail);
  const { credential: id, public_key: publicKey } = leaf.facts.passkey;
  const passkey = passkeyOf(id, publicKey, leaf.actor.person as PersonName);
  const signed = await verifyAssertion({ publicUrl: about.origin }, { statement, assertion: assertion.value, passkey });
  if (!signed.ok) return fails(`the signature does not hold: ${signed.error.why}`);
  const { at, actor } = leaf;
  const seen = jsonOf(shown);
  if (seen === undefined) return fails('the package is not JSON');
  return ok({ person: actor.person, at, statement, publicKey, package: seen, entry: entry.id });
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const valueIn = ({ values }: ExportedEntry, part: 'said' | 'seen', name: string): Json =>
  values.find((one) => one.part === part && one.name === name)?.value ?? null;

/** What of a passkey a signature rests on; the rest is the register's affair. */
const passkeyOf = (id: string, publicKey: string, person: PersonName): Passkey => ({
  id,
  person,
  publicKey,
  signCount: 0,
  deviceBound: false,
  aaguid: '',
  label: '',
  transports: [],
  enrolledAt: instant(0),
  confirmedBy: person,
});
