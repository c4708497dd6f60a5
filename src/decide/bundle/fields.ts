/** The fields that the files of a bundle share. */
import { z } from 'zod';
import { hasControl } from '../../core/parse.ts';
import { codeOf } from './files.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const TASK = /^[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){1,7}$/;
const BEYOND_ASCII = /\P{ASCII}/u;

/** Longest a credential may live. */
export const LONGEST_TTL = 3600;
/** What a credential gets when neither its task class nor the request says otherwise. */
export const USUAL_TTL = 300;

/** Seconds without a use, after which a credential whose use is seen is ended. */
export const IDLE_AFTER = 30;
/** The same for one that was never used. */
export const UNUSED_AFTER = 60;

const named = (form: RegExp, otherwise: string) =>
  z.string().regex(form, {
    error: ({ input }) => {
      const foreign = typeof input === 'string' ? BEYOND_ASCII.exec(input) : null;
      return foreign === null ? otherwise : `${codeOf(foreign[0])} may look like a letter of a name, and is none`;
    },
  });

export const nameField = () => named(NAME, 'a name must match [a-z0-9][a-z0-9-]{0,62}');
export const taskField = () => named(TASK, 'a task class is names joined by dots, such as service.restart');

export const wordsField = (limit = 500) =>
  z
    .string()
    .min(1)
    .max(limit)
    .refine((text) => !hasControl(text), 'it holds a control character');

export const dateField = () => z.iso.date('it must be a date such as 2027-01-31');

export const ceilingsField = () =>
  z.strictObject({
    ttl: z.int().min(1).max(LONGEST_TTL).optional(),
    uses: z.int().min(1).max(10_000).optional(),
  });

/** In seconds; the ceiling of all lifetimes stands for never. */
export const idleField = () =>
  z.strictObject({
    after: z.int().min(1).max(LONGEST_TTL).optional(),
    unused: z.int().min(1).max(LONGEST_TTL).optional(),
  });

/** Whoever answers for it, and when it is looked at again. */
export const stewardship = { owner: nameField(), next_review: dateField() };
