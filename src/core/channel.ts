/**
 * The port through which people are told. Telling never decides.
 */
import type { JsonObject } from './canonical.ts';
import type { TenantName } from './ids.ts';
import type { NoticeKind } from './notice.ts';
import type { Instant } from './time.ts';

/** One line of a notice. An agent's words are shown apart, and are markup in no channel. */
export interface NoticeLine {
  readonly label: string;
  readonly text: string;
  readonly words: 'brevet' | 'agent';
}

/** A notice in words. */
export interface Notice {
  /** The same however often it is tried, so that the far side can tell one that comes twice. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly tenant: TenantName;
  readonly at: Instant;
  /** `client`: for its own contact, whom a room of the MSP's does not reach. */
  readonly audience: 'team' | 'client';
  readonly to: readonly { readonly name: string; readonly address: string | null }[];
  /** One line. */
  readonly subject: string;
  readonly lines: readonly NoticeLine[];
  /** Where the console shows it; `null` where who is told has no way in. */
  readonly link: string | null;
  /** What it belongs to, with others. */
  readonly about: string | null;
  /** The same for programs. */
  readonly facts: JsonObject;
}

export const CHANNEL_NAMES = ['slack', 'teams', 'mail', 'webhook'] as const;
export type ChannelName = (typeof CHANNEL_NAMES)[number];

export interface Channel {
  readonly name: ChannelName;
  /** Whether those whom it is for can be told through it. */
  reaches(notice: Notice): boolean;
  /** Resolves once the far side has taken it; rejects otherwise, and is tried again. */
  tell(notice: Notice): Promise<void>;
}

/** How a channel stood when it was last used. */
export interface ChannelState {
  readonly name: ChannelName;
  readonly toldAt: Instant | null;
  /** Since then none was taken; `null` where the last one was. */
  readonly failingSince: Instant | null;
  readonly why: string | null;
}
