/** What an agent gets for an access request. */
import type { JsonObject } from '../core/canonical.ts';
import type { ApprovalState } from '../core/approval.ts';
import type { Receipt } from '../core/entry.ts';
import type { ApprovalId, RequestId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Instant } from '../core/time.ts';
import type { Issued } from '../issue/outcome.ts';

export type Answer =
  | { readonly kind: 'issued'; readonly request: RequestId; readonly decision: JsonObject; readonly issued: Issued }
  /** The same request came before, under this idempotency key: its credential left then, and was not kept. */
  | {
      readonly kind: 'repeated';
      readonly request: RequestId;
      readonly decision: JsonObject;
      readonly lease: Lease | null;
    }
  /** People are asked: by this request, or by the same one before, under this key. */
  | {
      readonly kind: 'asked';
      readonly request: RequestId;
      readonly decision: JsonObject;
      readonly approval: { readonly id: ApprovalId; readonly state: ApprovalState; readonly expiresAt: Instant };
      readonly receipt: Receipt;
    };
