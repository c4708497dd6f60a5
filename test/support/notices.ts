/** A notice whose every text is as hostile as its writer can make it. */
import type { Notice } from '../../src/core/channel.ts';
import type { TenantName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';

/** Markup of every channel, marks that turn or hide text, and what would end a header. */
export const HOSTILE =
  '<!channel> <https://evil.example|Approve> *now* `x` [Approve](https://evil.example) <b>b</b> & \u202Ereversed\u202C\r\nBcc: all@evil.example\u0000\u200b';

/** Whether a text holds what hides or turns it, or ends its line. */
export const hides = (text: string): boolean => /[\u202e\u200b\p{Cc}]/u.test(text);

export const notice = (more: Partial<Notice> = {}): Notice => ({
  id: 'wrk_01jqaaaaaaaaaaaaaaaaaaaaaa',
  kind: 'asked',
  tenant: 'acme' as TenantName,
  at: instant(Date.UTC(2026, 10, 2, 9)),
  audience: 'team',
  to: [{ name: 'Paula Nord', address: 'paula@msp.example' }],
  subject: 'firewall.change at Acme is asked of you',
  lines: [
    { label: 'Agent', text: 'net-bot', words: 'brevet' },
    { label: 'The agent’s words', text: 'Telnet is open', words: 'agent' },
  ],
  link: 'https://brevet.example/approvals/apr_01jq',
  about: 'apr_01jq',
  facts: { kind: 'asked', approval: 'apr_01jq' },
  ...more,
});

export const hostileNotice = notice({
  subject: HOSTILE,
  to: [{ name: HOSTILE, address: 'paula@msp.example' }],
  lines: [
    { label: 'Client', text: HOSTILE, words: 'brevet' },
    ...Array.from({ length: 25 }, () => ({
      label: 'The agent’s words',
      text: HOSTILE.repeat(20),
      words: 'agent' as const,
    })),
  ],
});
