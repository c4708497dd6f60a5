/**
 * What a task class writes for its provider may name parameters of the request, as `{{ticket}}`. Each provider fills
 * them in with the escaping of the place that they stand in; this file knows none of it.
 */
import type { Json, JsonObject } from './canonical.ts';

/** A text in parts: what stands there, and the names of parameters between. */
export type Part = { readonly text: string } | { readonly parameter: string };

const PLACEHOLDER = /\{\{([a-z][a-z0-9_]{0,63})\}\}/g;

/** `null`: braces that open or close nothing, which were meant as a placeholder and would be sent as they stand. */
export function partsOf(template: string): readonly Part[] | null {
  const parts: Part[] = [];
  let from = 0;
  for (const found of template.matchAll(PLACEHOLDER)) {
    if (found.index > from) parts.push({ text: template.slice(from, found.index) });
    parts.push({ parameter: found[1] ?? '' });
    from = found.index + found[0].length;
  }
  if (from < template.length) parts.push({ text: template.slice(from) });
  return parts.some((part) => 'text' in part && /\{\{|\}\}/.test(part.text)) ? null : parts;
}

/** The parameters that are named anywhere in a template, keys included: sorted, each once. */
export function placeholdersIn(template: Json): readonly string[] {
  const found = new Set<string>();
  collect(template, found);
  return [...found].toSorted();
}

function collect(value: Json, found: Set<string>): void {
  if (typeof value === 'string') {
    for (const part of partsOf(value) ?? []) if ('parameter' in part) found.add(part.parameter);
  } else if (Array.isArray(value)) {
    for (const member of value) collect(member as Json, found);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, member] of Object.entries(value as JsonObject)) {
      collect(key, found);
      if (member !== undefined) collect(member, found);
    }
  }
}

/**
 * Fills a text in.
 *
 * @param escape makes of a parameter's value what may stand in this place; `null` where nothing of it may.
 * @returns `null` where a parameter is missing, is no string, number or boolean, or may not stand here: whoever asked
 *   is refused, and nothing is widened.
 */
export function fillIn(
  template: string,
  parameters: JsonObject,
  escape: (value: string) => string | null,
): string | null {
  const filled = (partsOf(template) ?? [{ parameter: '' }]).map((part) => {
    if ('text' in part) return part.text;
    const value = Object.hasOwn(parameters, part.parameter) ? parameters[part.parameter] : undefined;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? escape(String(value))
      : null;
  });
  return filled.includes(null) ? null : filled.join('');
}
