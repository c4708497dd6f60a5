/** What a request carries through the routes. */
import type { Deps } from '../deps.ts';

export interface Scope {
  Variables: { deps: Deps; requestId: string };
  Bindings: {
    /** Node's response, to learn whether an answer was written, and to break one off. */
    outgoing?: {
      once(event: 'close', listener: () => void): void;
      readonly writableFinished: boolean;
      destroy(): unknown;
    };
    /** Node's request: whose it is, and its target as it was sent. */
    incoming?: { readonly socket?: { readonly remoteAddress?: string }; readonly url?: string };
  };
}
