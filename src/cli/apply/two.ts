/** What of a folder takes two persons once set-up is over: how it is proposed, whether it was, and what rests on it. */
import type { JsonObject } from '../../core/canonical.ts';
import { isRecord } from '../../client/call.ts';
import type { Body, OperatorLine } from '../operator-line.ts';
import { says, sentBody } from './compare.ts';
import type { Wanted } from './folder.ts';

/** Who is who, and what functions people have. An execution role is an agent's. */
export function takesTwo({ register, whole }: Wanted, known: Body | null): boolean {
  switch (register) {
    case 'people':
      return whole['active'] === true && known?.['active'] !== true;
    case 'operators':
      return whole['active'] === true && whole['person'] !== null;
    case 'assignments':
      return isRecord(whole['holder']) && 'person' in whole['holder'];
    case 'acceptances':
      return true;
    case 'issuers':
    case 'vendors':
    case 'tenants':
    case 'agents':
    case 'targets':
    case 'contexts':
    case 'enrolments':
      return false;
  }
}

/** As `POST /api/changes` takes it, without its reason; `null` where it can be no proposal. */
export function proposalOf(wanted: Wanted): JsonObject | null {
  const { register, name, tenant } = wanted;
  const body = sentBody(wanted);
  if (register === 'people') return { act: 'person.put', name, body };
  if (register === 'operators') return { act: 'operator.put', name, body };
  if (register === 'assignments') return { act: 'assignment.put', body };
  return register === 'acceptances' ? { act: 'acceptance.put', tenant, agent: name, body } : null;
}

/** What takes two at one place: the deployment, or a tenant. */
export interface Proposals {
  readonly inSetup: boolean;
  readonly open: readonly Body[];
}

/** A tenant that the same folder creates has no proposals of its own yet. */
export async function proposalsAt(line: OperatorLine, tenant: string | null): Promise<Proposals> {
  const query = tenant === null ? '' : `&tenant=${tenant}`;
  const first = await line.read(`/api/changes?limit=1${query}`);
  if (first === null) return tenant === null ? { inSetup: false, open: [] } : proposalsAt(line, null);
  const inSetup = first.item['set_up'] === true;
  const all = inSetup ? [] : await line.all('/api/changes', tenant === null ? {} : { tenant });
  return { inSetup, open: all.filter(({ state }) => state === 'open') };
}

/** The fact of a proposal that names what it is about. */
const NAMED_BY: Partial<Record<Wanted['register'], string>> = {
  people: 'person',
  operators: 'operator',
  acceptances: 'agent',
};

/** The id of an open change that would do just this. */
export function proposedAs(wanted: Wanted, { open }: Proposals): string | null {
  const asked = proposalOf(wanted);
  const found = open.find(({ act, facts, said }) => {
    if (act !== asked?.['act'] || !isRecord(facts) || !isRecord(said)) return false;
    const fact = NAMED_BY[wanted.register];
    return (
      (fact === undefined || facts[fact] === wanted.name) &&
      says({ ...facts, ...said, ...holderIn(facts) }, wanted.whole)
    );
  });
  return typeof found?.['id'] === 'string' ? found['id'] : null;
}

/** As an assignment is written. */
function holderIn({ holder }: Body): Body {
  return isRecord(holder) ? { holder: { [String(holder['kind'])]: holder['name'] } } : {};
}

/** What has to be there before. */
export function needs({ register, name, tenant, whole }: Wanted): readonly string[] {
  const people = (...names: readonly unknown[]) => names.filter((one) => typeof one === 'string').map(personRef);
  switch (register) {
    case 'operators':
      return people(whole['person']);
    case 'agents':
      return people(whole['owner'], whole['deputy']);
    case 'enrolments':
      return [`agents ${name}`];
    case 'acceptances':
      return [`enrolments ${name} at ${tenant}`];
    case 'assignments': {
      const { person, agent } = (whole['holder'] ?? {}) as Body;
      return [...people(person, whole['reviewer']), ...(typeof agent === 'string' ? [`agents ${agent}`] : [])];
    }
    case 'people':
    case 'issuers':
    case 'vendors':
    case 'tenants':
    case 'targets':
    case 'contexts':
      return [];
  }
}

const personRef = (name: string): string => `people ${name}`;
