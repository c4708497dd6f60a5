/** A tenant's context and a vendor's record as people write them: one form for the API and for a bundle's examples. */
import { z } from 'zod';
import { name, words } from './parse.ts';
import {
  CONTACT_USES,
  CONTRACT_AUTONOMY,
  DATA_CLASSES,
  LEGAL_BASES,
  REGULATIONS,
  SITUATION_KINDS,
  WEEKDAYS,
} from './registers.ts';
import type { TenantContext, Vendor } from './registers.ts';
import { recordedResourceField } from './resource.ts';

/** A century: longer is for ever, which no contract means. */
const LONGEST_RETENTION = 36_500;

const dataClasses = () => z.array(z.enum(DATA_CLASSES)).max(DATA_CLASSES.length);
const regions = () => z.array(name()).max(50);

const time = () => z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'it must be a time such as 22:30');

const terms = z.strictObject({
  vendors: z.array(name()).max(100),
  models: z.array(z.strictObject({ model: words(100), version: words(100) })).max(500),
  training: z.boolean(),
  retention_days: z.int().min(0).max(LONGEST_RETENTION),
});

const resource = z.strictObject({
  resource: recordedResourceField(),
  data_classes: dataClasses().default([]),
  environment: words(63).nullable().default(null),
  change_managed: z.boolean().default(false),
});

/** Hours of some weekdays. One that ends no later than it begins ends the next day. */
export const windowField = () =>
  z
    .strictObject({
      days: z.array(z.enum(WEEKDAYS)).min(1).max(WEEKDAYS.length),
      from: time(),
      to: time(),
    })
    .refine(({ from, to }) => from !== to, 'a window has a length');

export const timeZoneField = () => z.string().max(64).refine(isTimeZone, 'it is not an IANA time zone');

/** Every field of a context, by its name on the wire. */
export const CONTEXT_FIELDS = {
  regulations: z.array(z.enum(REGULATIONS)).max(REGULATIONS.length),
  data_classes: dataClasses(),
  residency: regions(),
  autonomy: z.enum(CONTRACT_AUTONOMY).nullable(),
  terms: terms.nullable(),
  environments: z.array(words(63)).max(50),
  resources: z.array(resource).max(500),
  time_zone: timeZoneField(),
  windows: z.array(windowField()).max(50),
  contacts: z.array(z.strictObject({ for: z.enum(CONTACT_USES), name: words(200), email: z.email().max(254) })).max(50),
  told: z
    .strictObject({
      tiers: z
        .array(z.union([z.literal(1), z.literal(2), z.literal(3)]))
        .min(1)
        .max(3),
      how: z.enum(['at_once', 'daily']),
      address: z.email().max(254),
    })
    .nullable(),
  legal_bases: z.array(z.strictObject({ purpose: words(200), basis: z.enum(LEGAL_BASES) })).max(100),
};

const partly = z.strictObject(CONTEXT_FIELDS).partial();
export type ContextForm = z.infer<typeof partly>;

/** The fields that were given. */
export function contextOf(form: ContextForm): Partial<TenantContext> {
  const { data_classes: dataClasses, terms, resources, time_zone: timeZone, legal_bases: legalBases, ...same } = form;
  const renamed = {
    dataClasses,
    terms: terms && termsOf(terms),
    resources: resources?.map(({ resource, environment, ...of }) => ({
      resource,
      environment,
      dataClasses: of.data_classes,
      changeManaged: of.change_managed,
    })),
    timeZone,
    legalBases,
  };
  const given = Object.entries({ ...same, ...renamed }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<TenantContext>;
}

/** A context as it is put. */
export function contextFormOf(context: TenantContext) {
  const { dataClasses, timeZone, legalBases, resources, terms: _, ...same } = context;
  return {
    ...same,
    data_classes: dataClasses,
    terms: termsFormOf(context),
    resources: resources.map(({ dataClasses: data, changeManaged, ...resource }) => ({
      ...resource,
      data_classes: data,
      change_managed: changeManaged,
    })),
    time_zone: timeZone,
    legal_bases: legalBases,
  };
}

export function termsFormOf({ terms }: TenantContext) {
  if (terms === null) return null;
  const { retentionDays, ...same } = terms;
  return { ...same, retention_days: retentionDays };
}

const termsOf = ({ retention_days: retentionDays, ...same }: z.infer<typeof terms>) => ({ ...same, retentionDays });

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) instanceof Intl.DateTimeFormat;
  } catch (fault) {
    if (fault instanceof RangeError) return false;
    throw fault;
  }
}

export const VendorForm = z.strictObject({
  trains_on_client_data: z.boolean(),
  retention_days: z.int().min(0).max(LONGEST_RETENTION),
  residency: regions().default([]),
});

export const vendorOf = (called: Vendor['name'], form: z.infer<typeof VendorForm>): Vendor => ({
  name: called,
  trains: form.trains_on_client_data,
  retentionDays: form.retention_days,
  residency: form.residency,
});

/** @param time how times are written where it stands. */
export const situationFields = <Time extends z.ZodType>(time: () => Time) => ({
  kind: z.enum(SITUATION_KINDS),
  resource: recordedResourceField().optional(),
  from: time().optional(),
  until: time(),
  ask_within: z.int().min(60).max(86_400).optional(),
});
