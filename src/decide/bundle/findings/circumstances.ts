/**
 * What the rules can be asked of one task class under one role: each attribute with the values that it can have. From
 * the bundle's own files and the closed words of the registers, and so wider than any one client, never narrower.
 */
import type { JsonObject } from '../../../core/canonical.ts';
import { AGENT_KINDS, AUTONOMY_LEVELS, CONTRACT_AUTONOMY, DATA_CLASSES, REGULATIONS } from '../../../core/registers.ts';
import { TIERS } from '../../decision.ts';
import type { Role, TaskClass } from '../model.ts';
import { valuesOf } from '../parameters.ts';
import type { Possible, Scalar } from './possible.ts';

export interface Circumstances {
  readonly role: string;
  readonly task: string;
  readonly context: ReadonlyMap<string, Possible>;
  /** `always`: no request of the class passes without it. */
  readonly parameters: ReadonlyMap<string, { readonly always: boolean; readonly value: Possible }>;
}

const one = (value: Scalar): Possible => ({ is: 'one', value });
const among = (values: readonly Scalar[]): Possible => ({ is: 'among', values });
const someOf = (may: readonly Scalar[], must: readonly Scalar[] = []): Possible => ({
  is: 'set',
  must: new Set(must),
  may: new Set([...may, ...must]),
});

/** @param schema of the task class's parameters. */
export function circumstancesOf(role: Role, task: TaskClass, schema: JsonObject): Circumstances {
  const freest = task.promotion?.tier ?? task.tier;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return {
    role: role.name,
    task: task.name,
    context: new Map<string, Possible>([
      ['tier', among(TIERS.filter((tier) => tier >= freest))],
      ['kind', one(task.kind)],
      ['provider', one(task.provider)],
      ['reads_only', one(task.readsOnly)],
      ['leaves_objects', one(task.leavesObjects)],
      ['containment', one(task.containment)],
      ['changes', someOf([], task.changes)],
      ['data', someOf(DATA_CLASSES, task.touches)],
      ['tenant_data', someOf(DATA_CLASSES)],
      ['regulations', someOf(REGULATIONS)],
      ['contract', among([...CONTRACT_AUTONOMY, 'none'])],
      ['autonomy', among(AUTONOMY_LEVELS)],
      ['agent_kind', among(AGENT_KINDS)],
      ...TEXTS.map((name) => [name, { is: 'text' }] as const),
      ...FREE.map((name) => [name, among([true, false])] as const),
    ]),
    parameters: new Map(
      task.seenByRules.map((name) => [name, { always: required.includes(name), value: valuesOf(schema, name) }]),
    ),
  };
}

const TEXTS = ['environment', 'vendor', 'model', 'model_version'] as const;

const FREE = [
  'approved',
  'disputed',
  'low_confidence',
  'wildcard',
  'names_records',
  'change_managed',
  'change_stated',
  'lawful_basis',
  'in_change_window',
  'incident',
  'frozen',
  'data_subject_request',
  'vendor_approved',
  'vendor_exceeds_contract',
  'model_accepted',
] as const;
