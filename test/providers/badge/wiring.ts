/**
 * What makes the toy a real kind of provider, done to a copy of the sources: its own files, and the few places outside
 * of them that name it. docs/how-to/add-a-provider.md lists these places and no others.
 */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Where the toy's own files go. */
export const OWN_FILES = {
  'provider.ts': 'src/providers/badge/provider.ts',
  'template.ts': 'src/core/templates/badge.ts',
} as const;

interface Place {
  readonly file: string;
  /** Each stands there once. */
  readonly edits: readonly (readonly [before: string, after: string])[];
}

const TEMPLATES_END = '} as const satisfies Readonly<Record<ProviderKind, Template>>;';

/** The first is what says that there is such a kind: the compiler then asks for what is missing elsewhere. */
export const PLACES: readonly [Place, ...Place[]] = [
  {
    file: 'src/core/registers.ts',
    edits: [["'vault', 'http'] as const;", "'vault', 'http', 'badge'] as const;"]],
  },
  {
    file: 'src/core/templates.ts',
    edits: [
      [
        "import { z } from 'zod';",
        "import { z } from 'zod';\nimport { placeholdersIn } from './placeholder.ts';\nimport { badgeTemplate } from './templates/badge.ts';",
      ],
      [
        TEMPLATES_END,
        `  badge: { form: badgeTemplate, enforces: placeholdersIn, saysResource: false },\n${TEMPLATES_END}`,
      ],
    ],
  },
  {
    file: 'src/node/parts.ts',
    edits: [
      [
        "import { loadCedar } from './cedar.ts';",
        "import { badgeProvider } from '../providers/badge/provider.ts';\nimport { loadCedar } from './cedar.ts';",
      ],
      [
        '        vault,\n',
        '        vault,\n        badgeProvider({ exchange: exchanges.exchange, clock, patience: 5_000 as never }),\n',
      ],
    ],
  },
];

/** @param folder an empty one, which becomes the copy's root. */
export async function copySources(folder: string): Promise<void> {
  await cp(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const extended = { extends: join(ROOT, 'tsconfig.json') };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...extended, include: ['src'] }));
  await writeFile(join(folder, TEMPLATES_ONLY), JSON.stringify({ ...extended, include: [], files: [TEMPLATES] }));
}

const TEMPLATES = 'src/core/templates.ts';

/** A project of the one file that has to name every kind, and what that imports: much less to compile than the whole. */
export const TEMPLATES_ONLY = 'templates.json';

export async function addOwnFiles(folder: string): Promise<void> {
  for (const [own, path] of Object.entries(OWN_FILES)) {
    const source = await readFile(join(import.meta.dirname, own), 'utf8');
    const moved = source
      .replaceAll("'../../../src/core/", "'../../core/")
      .replace("'./template.ts'", "'../../core/templates/badge.ts'");
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), moved);
  }
}

/** @throws where a place is not as it is expected: the page and this file are then to be looked at. */
export async function wire(folder: string, { file, edits }: Place): Promise<void> {
  const path = join(folder, file);
  let source = await readFile(path, 'utf8');
  for (const [before, after] of edits) {
    if (source.split(before).length !== 2) throw new Error(`${file} does not hold once: ${before}`);
    source = source.replace(before, () => after);
  }
  await writeFile(path, source);
}
