/** What a task class says of a badge: the one door that it opens, which may be a parameter of the request. */
import { z } from 'zod';

export const DOOR = /^[a-z][a-z0-9-]{0,30}$/;

/** Filled in with any parameter, what is written must still be a door's name. */
const isDoor = (text: string): boolean => /^\{\{[a-z][a-z0-9_]{0,63}\}\}$/.test(text) || DOOR.test(text);

export const badgeTemplate = z.strictObject({
  door: z.string().refine(isDoor, 'it must be the name of a door, or one parameter'),
});
