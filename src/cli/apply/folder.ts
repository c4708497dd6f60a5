/** A folder of registers in YAML, one file each, read strictly: every problem at once, with file and line. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { assignmentBody } from '../../administer/assignments.ts';
import { agentBody, issuerBody, operatorBody, personBody, tenantBody } from '../../administer/registers.ts';
import { enrolmentBody, targetBody } from '../../administer/tenants.ts';
import { name } from '../../core/parse.ts';
import type { Problem } from '../../core/policy.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { readYaml } from '../../decide/bundle/yaml.ts';
import type { Body } from '../operator-line.ts';
import { UsageError } from '../command.ts';

/** One item that the folder wants: where it belongs, as written, and with everything that was left out filled in. */
export interface Wanted {
  readonly register: string;
  /** `null` for an assignment, which has no name of its own. */
  readonly path: string | null;
  readonly called: string;
  readonly whole: Body;
}

const byName = <T extends z.ZodType>(body: T) => z.record(name(), body);
/** A secret does not belong into a folder that is kept: `brevet target put --secret-file` gives it. */
const keptTarget = targetBody.omit({ secret: true });

/** In the order in which one may need another. */
const FORMS = {
  'people.yaml': byName(personBody),
  'operators.yaml': byName(operatorBody),
  'issuers.yaml': byName(issuerBody),
  'tenants.yaml': byName(tenantBody),
  'agents.yaml': byName(agentBody),
  'targets.yaml': byName(byName(keptTarget)),
  'enrolments.yaml': byName(byName(enrolmentBody)),
  'assignments.yaml': z.array(assignmentBody),
} as const;
type File = keyof typeof FORMS;
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
    if (error instanceof Error && 'code' in error) throw new UsageError(`${folder}: ${String(error.code)}`);
    throw error;
  }
}

function wantedIn(file: File, value: unknown): Wanted[] {
  const register = file.replace('.yaml', '');
  switch (file) {
    case 'people.yaml':
    case 'operators.yaml':
    case 'issuers.yaml':
    case 'tenants.yaml':
    case 'agents.yaml':
      return named(value).map(([called, whole]) => ({ register, path: `/api/${register}/${called}`, called, whole }));
    case 'targets.yaml':
    case 'enrolments.yaml':
      return named(value).flatMap(([tenant, items]) =>
        named(items).map(([called, whole]) => ({
          register,
          path: `/api/tenants/${tenant}/${register}/${called}`,
          called: `${called} at ${tenant}`,
          whole,
        })),
      );
    case 'assignments.yaml':
      return (value as readonly Body[]).map((whole) => ({ register, path: null, called: calledOf(whole), whole }));
  }
}

const named = (value: unknown): [string, Body][] => Object.entries(value as Readonly<Record<string, Body>>);

function calledOf(whole: Body): string {
  const { tenant, holder, role } = whole as unknown as z.infer<typeof assignmentBody>;
  const [who = ''] = Object.values(holder);
  return `${role} to ${who} at ${tenant ?? 'the deployment'}`;
}
