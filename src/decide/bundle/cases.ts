/** `cases/*.yaml`: clients and agents as examples, and what is decided of each request. */
import { z } from 'zod';
import { CONTEXT_FIELDS, VendorForm, situationFields } from '../../core/context-form.ts';
import { AGENT_KINDS, AUTONOMY_LEVELS, DATA_CLASSES, PROVIDER_KINDS } from '../../core/registers.ts';
import type { Problem } from '../../core/policy.ts';
import { parseInstant } from '../../core/time.ts';
import { nameField, taskField, wordsField } from './fields.ts';
import type { Placed } from './yaml.ts';

const ExampleTarget = z.strictObject({
  provider: z.enum(PROVIDER_KINDS),
  environment: nameField(),
  data_classes: z.array(z.enum(DATA_CLASSES)),
});

const { regulations, data_classes, autonomy } = CONTEXT_FIELDS;

/** What a case leans on is said; the rest of a context where it matters. */
const ExampleTenant = z.strictObject({
  ...z.strictObject(CONTEXT_FIELDS).partial().shape,
  regulations,
  data_classes,
  autonomy,
  targets: z.record(nameField(), ExampleTarget),
});

const ExampleAgent = z.strictObject({
  kind: z.enum(AGENT_KINDS),
  autonomy: z.enum(AUTONOMY_LEVELS),
  vendor: wordsField(64),
  model: wordsField(64),
  model_version: wordsField(64),
  roles: z.array(nameField()).min(1),
  /** Whether people answer for it, whatever it does here: yes, unless it says otherwise. */
  accepted: z.boolean().optional(),
});

/** A time as text, since a schema for editors knows no other. */
const momentField = () =>
  z.string().refine((text) => parseInstant(text) !== null, 'it must be a time such as 2026-03-07T22:00:00Z');

const Expected = z.strictObject({
  effect: z.enum(['permit', 'ask', 'forbid']),
  /** The code of a forbid. */
  code: z.string().optional(),
  /** Those that decided, all of them. */
  rules: z.array(nameField()).optional(),
  tier: z.int().min(1).max(3).optional(),
});

export type ExampleTenant = z.infer<typeof ExampleTenant>;
export type ExampleVendor = z.infer<typeof VendorForm>;
export type ExampleAgent = z.infer<typeof ExampleAgent>;

const ExampleSituation = z.strictObject(situationFields(momentField));
export type ExampleSituation = z.infer<typeof ExampleSituation>;

export const CaseForm = z.strictObject({
  name: wordsField(200),
  agent: nameField(),
  tenant: nameField(),
  /** The fields of an access request; a reason is put in. */
  request: z.looseObject({ task: taskField(), resource: z.string() }),
  /** Whether a channel exists through which people are told: yes, unless it says otherwise. */
  channels: z.boolean().optional(),
  /** When it is asked; the first of January 2026, unless it says otherwise. */
  at: momentField().optional(),
  /** What holds at the client for the time being. */
  situations: z.array(ExampleSituation).optional(),
  /** Whether the same is being done at more tenants than the bundle takes one by one: no, unless it says so. */
  many_tenants: z.boolean().optional(),
  expect: Expected,
});
export type CaseForm = z.infer<typeof CaseForm>;

export const CasesFile = z.strictObject({
  /** Vendors' records, the same at each client. */
  vendors: z.record(nameField(), VendorForm).optional(),
  tenants: z.record(nameField(), ExampleTenant).optional(),
  agents: z.record(nameField(), ExampleAgent).optional(),
  cases: z.array(CaseForm).optional(),
});
export type CasesFile = z.infer<typeof CasesFile>;

interface Known {
  readonly roles: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
}

/** Examples may stand in any of the files, once; cases lean on them and on the rest of the bundle. */
export function caseProblems(files: readonly Placed<CasesFile>[], known: Known): Problem[] {
  const tenants = new Set(files.flatMap(({ value }) => Object.keys(value.tenants ?? {})));
  const agents = new Set(files.flatMap(({ value }) => Object.keys(value.agents ?? {})));
  return [
    ...doubledExamples(files, 'tenants'),
    ...doubledExamples(files, 'agents'),
    ...doubledExamples(files, 'vendors'),
    ...files.flatMap((file) => roleProblems(file, known.roles)),
    ...files.flatMap((file) =>
      (file.value.cases ?? []).flatMap((example, at) => {
        const unknown = [
          ...(tenants.has(example.tenant) ? [] : [['tenant', `there is no example tenant ${example.tenant}`]]),
          ...(agents.has(example.agent) ? [] : [['agent', `there is no example agent ${example.agent}`]]),
          ...(example.expect.rules ?? [])
            .filter((rule) => !known.rules.has(rule))
            .map((rule) => ['expect', `there is no rule ${rule}`]),
        ];
        return unknown.map(([field = '', what = '']) => ({
          file: file.file,
          line: file.lineOf(['cases', at, field]),
          what: `"${example.name}": ${what}`,
        }));
      }),
    ),
  ];
}

function roleProblems({ file, value, lineOf }: Placed<CasesFile>, known: ReadonlySet<string>): Problem[] {
  return Object.entries(value.agents ?? {}).flatMap(([name, { roles }]) =>
    [...roles.entries()]
      .filter(([, role]) => !known.has(role))
      .map(([at, role]) => ({
        file,
        line: lineOf(['agents', name, 'roles', at]),
        what: `agents.${name}: there is no role ${role}`,
      })),
  );
}

function doubledExamples(files: readonly Placed<CasesFile>[], of: 'tenants' | 'agents' | 'vendors'): Problem[] {
  const first = new Map<string, string>();
  return files.flatMap(({ file, value, lineOf }) =>
    Object.keys(value[of] ?? {}).flatMap((name) => {
      const before = first.get(name);
      first.set(name, before ?? file);
      const what = `${of}.${name} also stands in ${before}`;
      return before === undefined ? [] : [{ file, line: lineOf([of, name]), what }];
    }),
  );
}
