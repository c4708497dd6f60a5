/** A folder of registers in YAML, one file each, read strictly: every problem at once, with file and line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { acceptanceBody } from '../../administer/acceptances.ts';
import { assignmentBody } from '../../administer/assignments.ts';
import { contextBody } from '../../administer/context.ts';
import { agentBody, issuerBody, operatorBody, personBody, tenantBody } from '../../administer/registers.ts';
import { enrolmentBody, targetBody } from '../../administer/tenants.ts';
import { contextFormOf, contextOf, VendorForm } from '../../core/context-form.ts';
import { name } from '../../core/parse.ts';
import type { Problem } from '../../core/policy.ts';
import { NO_CONTEXT } from '../../core/registers.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { readYaml } from '../../decide/bundle/yaml.ts';
import type { Body } from '../operator-line.ts';
import { UsageError } from '../command.ts';
import { unreadable } from '../files.ts';

/** One item that the folder wants: where it belongs, as written, and with everything that was left out filled in. */
export interface Wanted {
  readonly register: RegisterName;
  /** `null` for an assignment, which has no name of its own. */
  readonly path: string | null;
  readonly called: string;
  /** Its name in its register; an assignment has none. */
  readonly name: string;
  /** Whose ledger says so; `null`: the deployment's. */
  readonly tenant: string | null;
  readonly whole: Body;
}

const byName = <T extends z.ZodType>(body: T) => z.record(name(), body);
/** A secret does not belong into a folder that is kept: `brevet target put --secret-file` gives it. */
const keptTarget = targetBody.omit({ secret: true });

/** In whole, so that what is left out here and stands there is seen to differ. */
const wholeContext = contextBody.transform((form) => contextFormOf({ ...NO_CONTEXT, ...contextOf(form) }));
/** As the broker keeps them. */
const sortedAcceptance = acceptanceBody.transform(({ tasks, ...same }) => ({
  ...same,
  tasks: [...new Set(tasks)].toSorted(),
}));
/** A tenant's context stands in its own file. */
const tenantAlone = tenantBody.pick({ display_name: true });

/** In the order in which one may need another. */
const FORMS = {
  'people.yaml': byName(personBody),
  'operators.yaml': byName(operatorBody),
  'issuers.yaml': byName(issuerBody),
  'vendors.yaml': byName(VendorForm),
  'tenants.yaml': byName(tenantAlone),
  'agents.yaml': byName(agentBody),
  'targets.yaml': byName(byName(keptTarget)),
  'contexts.yaml': byName(wholeContext),
  'enrolments.yaml': byName(byName(enrolmentBody)),
  'acceptances.yaml': byName(byName(sortedAcceptance)),
  'assignments.yaml': z.array(assignmentBody),
} as const;
type File = keyof typeof FORMS;
type RegisterName = File extends `${infer Name}.yaml` ? Name : never;
const FILES = Object.keys(FORMS) as File[];

/** @throws {UsageError} where there is no such folder. */
export function readFolder(folder: string): Result<readonly Wanted[], readonly Problem[]> {
  const there = namesIn(folder);
  const strange = there.filter((file) => !FILES.some((known) => known === file));
  const problems: Problem[] = strange.map((file) => ({ file, line: 1, what: `no file here: ${FILES.join(', ')}` }));
  const wanted: Wanted[] = [];
  for (const file of FILES.filter((one) => there.includes(one))) {
    const read = readYaml<unknown>(file, readFileSync(join(folder, file), 'utf8'), FORMS[file]);
    if (read.ok) wanted.push(...wantedIn(file, read.value.value));
    else problems.push(...read.error);
  }
  return problems.length > 0 ? err(problems) : ok(wanted);
}

/** Hidden files are an editor's. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => !file.startsWith('.'))
      .toSorted();
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new UsageError(unreadable(folder, String(error.code)));
    throw error;
  }
}

function wantedIn(file: File, value: unknown): Wanted[] {
  const register = file.slice(0, -'.yaml'.length) as RegisterName;
  switch (file) {
    case 'people.yaml':
    case 'operators.yaml':
    case 'issuers.yaml':
    case 'vendors.yaml':
    case 'tenants.yaml':
    case 'agents.yaml':
      return named(value).map(([name, whole]) => {
        return { register, path: `/api/${register}/${name}`, called: name, name, tenant: null, whole };
      });
    case 'targets.yaml':
    case 'enrolments.yaml':
    case 'acceptances.yaml':
      return named(value).flatMap(([tenant, items]) =>
        named(items).map(([name, whole]) => {
          const path = `/api/tenants/${tenant}/${register}/${name}`;
          return { register, path, called: `${name} at ${tenant}`, name, tenant, whole };
        }),
      );
    case 'contexts.yaml':
      return named(value).map(([tenant, whole]) => {
        return { register, path: `/api/tenants/${tenant}/context`, called: tenant, name: tenant, tenant, whole };
      });
    case 'assignments.yaml':
      return (value as readonly Body[]).map((whole) => {
        const { tenant } = whole as { readonly tenant: string | null };
        return { register, path: null, called: calledOf(whole), name: '', tenant, whole };
      });
  }
}

const named = (value: unknown): [string, Body][] => Object.entries(value as Readonly<Record<string, Body>>);

function calledOf(whole: Body): string {
  const { tenant, holder, role } = whole as unknown as z.infer<typeof assignmentBody>;
  const [who = ''] = Object.values(holder);
  return `${role} to ${who} at ${tenant ?? 'the deployment'}`;
}
