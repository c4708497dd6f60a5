/**
 * An access request as it comes in: strict, bounded, and hashed over its canonical form.
 */
import { z } from 'zod';
import { canonicalBytes } from '../core/canonical.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import { sha256Hex } from '../core/digest.ts';
import { failure } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import type { OrderId, PersonName, RoleName, TargetName } from '../core/ids.ts';
import { hasControl, isWellFormed, name, parseWith, taskName, words } from '../core/parse.ts';
import { DATA_CLASSES, LEGAL_BASES } from '../core/registers.ts';
import { URGENCIES } from '../core/route.ts';
import type { AccessRequest, Circumstances } from '../core/request.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';

/** The canonical form, in bytes: a request is a few lines, and it is kept with its decision. */
export const LARGEST_REQUEST = 32 * 1024;
const DEEPEST = 8;
/** Longer than any lease; what is over a ceiling is narrowed, what is over this was not meant. */
const LONGEST_TTL_ASKED = 86_400;
const MOST_USES_ASKED = 10_000;

const resourceForm = /^[a-z0-9][a-z0-9-]{0,62}(?:\/[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,448})?$/u;
/** A provider may build a path of it. */
const emptyOrDotted = /\/(?:\.{0,2}(?:\/|$))/;

const resource = z
  .string()
  .max(512)
  .refine((text) => resourceForm.test(text), 'it must be {target} or {target}/{rest}, printable')
  .refine((text) => !emptyOrDotted.test(text), 'its parts may not be empty, . or ..');

const json = z.custom<Json>((value) => isBoundedJson(value, DEEPEST), 'it must be JSON, at most 8 deep, of plain text');
const jsonObject = z.custom<JsonObject>(
  (value) => isObject(value) && isBoundedJson(value, DEEPEST),
  'it must be a JSON object, at most 8 deep, of plain text',
);

const Circumstance = {
  trigger: z.strictObject({ kind: words(64), reference: words(256) }).optional(),
  data_considered: z.array(words(256)).max(64).optional(),
  data_classes: z.array(z.enum(DATA_CLASSES)).max(DATA_CLASSES.length).optional(),
  purpose: words(512).optional(),
  legal_basis: z.enum(LEGAL_BASES).optional(),
  environment: words(64).optional(),
  confidence: z.number().min(0).max(1).optional(),
  model: words(128).optional(),
  model_version: words(128).optional(),
  evidence: z.array(json).max(32).optional(),
  rollback: words(2000).optional(),
  change: words(256).optional(),
  plan: words(256).optional(),
  urgency: z.enum(URGENCIES).optional(),
};

const orderId = z.string().refine((text) => parseId('ord', text).ok, 'it must be the id of an order');

const Body = z.strictObject({
  task: taskName(),
  resource,
  parameters: jsonObject.default({}),
  reason: words(1000),
  role: name().optional(),
  order: orderId.optional(),
  launched_by: name().optional(),
  ttl: z.int().min(1).max(LONGEST_TTL_ASKED).optional(),
  uses: z.int().min(1).max(MOST_USES_ASKED).optional(),
  ...Circumstance,
});

/** What a request may say, by the names of the wire. */
export const ACCESS_REQUEST_FIELDS: readonly string[] = Object.keys(Body.shape);

/** @returns the request, or the first thing wrong with it, by its path. */
export function parseAccessRequest(body: unknown): Result<AccessRequest> {
  const parsed = parseWith(Body, body);
  if (!parsed.ok) return parsed;
  const asked = parsed.value;
  const bytes = canonicalBytes(body as Json);
  if (bytes.length > LARGEST_REQUEST) {
    return err(
      failure('invalid_request', `the request is over ${LARGEST_REQUEST} bytes`, { hint: 'Send references.' }),
    );
  }
  const slash = asked.resource.indexOf('/');
  return ok({
    task: asked.task,
    resource: asked.resource,
    target: (slash < 0 ? asked.resource : asked.resource.slice(0, slash)) as TargetName,
    rest: slash < 0 ? '' : asked.resource.slice(slash + 1),
    parameters: asked.parameters,
    reason: asked.reason,
    role: (asked.role ?? null) as RoleName | null,
    order: (asked.order ?? null) as OrderId | null,
    launchedBy: (asked.launched_by ?? null) as PersonName | null,
    ttl: asked.ttl === undefined ? null : seconds(asked.ttl),
    uses: asked.uses ?? null,
    circumstances: circumstancesOf(asked),
    hash: sha256Hex(bytes),
  });
}

function circumstancesOf(asked: z.infer<typeof Body>): Circumstances {
  const { trigger, purpose, environment, confidence, model, evidence, rollback, change, plan, urgency } = asked;
  const said = {
    trigger,
    dataConsidered: asked.data_considered,
    dataClasses: asked.data_classes,
    purpose,
    legalBasis: asked.legal_basis,
    environment,
    confidence,
    model,
    modelVersion: asked.model_version,
    evidence,
    rollback,
    change,
    plan,
    urgency,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Circumstances;
}

/** What `parseAccessRequest` takes, of what it made. */
export function asAsked({ circumstances, ...request }: AccessRequest): JsonObject {
  const { task, resource, parameters, reason, role, order, launchedBy, ttl, uses } = request;
  const { dataConsidered, dataClasses, legalBasis, modelVersion, ...said } = circumstances;
  const given = {
    task,
    resource,
    parameters,
    reason,
    role,
    order,
    launched_by: launchedBy,
    ttl,
    uses,
    ...said,
    data_considered: dataConsidered,
    data_classes: dataClasses,
    legal_basis: legalBasis,
    model_version: modelVersion,
  };
  const stated = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(stated) as JsonObject;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isBoundedJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isPlain(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || typeof value === 'boolean') return true;
  if (depth === 0 || typeof value !== 'object') return false;
  return Object.entries(value).every(
    ([key, member]) => isPlain(key) && key !== '__proto__' && isBoundedJson(member, depth - 1),
  );
}

const isPlain = (text: string): boolean => !hasControl(text) && isWellFormed(text);
