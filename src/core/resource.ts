/** What a resource is called, in a request and in a register alike: `{target}` or `{target}/{rest}`. */
import { z } from 'zod';

const FORM = /^[a-z0-9][a-z0-9-]{0,62}(?:\/[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,448})?$/u;
/** A provider may build a path of it. */
const EMPTY_OR_DOTTED = /\/(?:\.{0,2}(?:\/|$))/;
/** Nobody sees them, and a name that holds one is another than the one that the registers have. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
const PATTERN = /[*?%]/;

/** Letters that only look different name the same thing. */
export const plain = (resource: string): string => resource.normalize('NFKC').toLowerCase().trim();

/** Where a pattern begins in a plain one; -1: it names one thing. */
export const patternAt = (resource: string): number => resource.search(PATTERN);

/** Whether a resource is a pattern over more than one thing. */
export const isPattern = (resource: string): boolean => patternAt(plain(resource)) >= 0;

export const resourceField = () =>
  z
    .string()
    .max(512)
    .regex(FORM, 'it must be {target} or {target}/{rest}, printable')
    .refine((text) => !INVISIBLE.test(text), 'it holds a character that nobody sees')
    .refine((text) => !EMPTY_OR_DOTTED.test(text.normalize('NFKC')), 'its parts may not be empty, . or ..');

/** As a register has it: what is reached is held against it, so that a pattern there would be a name that nothing has. */
export const recordedResourceField = () =>
  resourceField().refine((text) => !isPattern(text), 'it is no pattern: it covers all that lies below it');
