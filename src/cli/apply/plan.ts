/** What a folder would change of the registers as they are. Whatever it does not name stays as it is. */
import type { Body, OperatorLine } from '../operator-line.ts';
import { says } from './compare.ts';
import type { Wanted } from './folder.ts';
import { needs, proposalsAt, proposedAs, takesTwo } from './two.ts';
import type { Proposals } from './two.ts';

/** How it is done. */
export type Way =
  | { readonly is: 'alone' }
  /** For a second person to confirm. */
  | { readonly is: 'propose' }
  /** Before, and nobody has confirmed it yet. */
  | { readonly is: 'proposed'; readonly change: string }
  /** Once that is there, which takes a second person. */
  | { readonly is: 'later'; readonly after: string };

export interface Step {
  readonly wanted: Wanted;
  readonly effect: 'create' | 'change' | 'nothing';
  /** Which fields differ. */
  readonly differs: readonly string[];
  /** Once set-up is over. */
  readonly takesTwo: boolean;
  readonly way: Way;
  /** The state that this was planned for. */
  readonly headers: Readonly<Record<string, string>>;
}

type Compared = Omit<Step, 'way'>;

export async function planOf(line: OperatorLine, wanted: readonly Wanted[]): Promise<readonly Step[]> {
  const steps: Compared[] = [];
  for (const one of wanted) {
    steps.push(one.path === null ? await assignmentStep(line, one) : await itemStep(line, one, one.path));
  }
  return withWays(line, steps);
}

async function itemStep(line: OperatorLine, wanted: Wanted, path: string): Promise<Compared> {
  const known = await line.read(path);
  if (known === null) {
    // A tenant that is made has a context at once.
    const headers: Compared['headers'] = wanted.register === 'contexts' ? {} : { 'if-none-match': '*' };
    return { wanted, effect: 'create', differs: [], takesTwo: takesTwo(wanted, null), headers };
  }
  const differs = Object.keys(wanted.whole).filter((field) => !says(known.item[field], wanted.whole[field]));
  const headers: Compared['headers'] = known.etag === null ? {} : { 'if-match': known.etag };
  if (differs.length === 0) return { wanted, effect: 'nothing', differs, takesTwo: false, headers };
  return { wanted, effect: 'change', differs, takesTwo: takesTwo(wanted, known.item), headers };
}

async function assignmentStep(line: OperatorLine, wanted: Wanted): Promise<Compared> {
  const { holder, role } = wanted.whole;
  const held = await heldAt(line, wanted.tenant);
  const known = held.find((one) => says(one['holder'], holder) && one['role'] === role);
  const asked = Object.keys(wanted.whole).filter((field) => wanted.whole[field] !== undefined);
  const differs = known === undefined ? [] : asked.filter((field) => !says(known[field], wanted.whole[field]));
  const effect = known === undefined ? 'create' : differs.length > 0 ? 'change' : 'nothing';
  return { wanted, effect, differs, takesTwo: effect !== 'nothing' && takesTwo(wanted, known ?? null), headers: {} };
}

/** A tenant that the same folder creates has none yet. */
async function heldAt(line: OperatorLine, tenant: string | null): Promise<readonly Body[]> {
  if (tenant === null) return line.all('/api/assignments');
  return (await line.read(`/api/tenants/${tenant}`)) === null ? [] : line.all('/api/assignments', { tenant });
}

/** In the order in which they are done: what waits for a second person holds up what needs it. */
async function withWays(line: OperatorLine, steps: readonly Compared[]): Promise<readonly Step[]> {
  const places = new Map<string | null, Proposals>();
  const waiting = new Set<string>();
  const planned: Step[] = [];
  for (const step of steps) {
    const way = await wayOf(line, step, { places, waiting });
    const { register, called } = step.wanted;
    if (way.is !== 'alone' && (step.effect === 'create' || register === 'people')) waiting.add(`${register} ${called}`);
    planned.push({ ...step, way });
  }
  return planned;
}

async function wayOf(
  line: OperatorLine,
  { wanted, effect, takesTwo: two }: Compared,
  { places, waiting }: { readonly places: Map<string | null, Proposals>; readonly waiting: ReadonlySet<string> },
): Promise<Way> {
  if (effect === 'nothing') return { is: 'alone' };
  const after = needs(wanted).find((one) => waiting.has(one));
  if (after !== undefined) return { is: 'later', after };
  if (!two) return { is: 'alone' };
  const proposals = places.get(wanted.tenant) ?? (await proposalsAt(line, wanted.tenant));
  places.set(wanted.tenant, proposals);
  if (proposals.inSetup) return { is: 'alone' };
  const change = proposedAs(wanted, proposals);
  return change === null ? { is: 'propose' } : { is: 'proposed', change };
}
