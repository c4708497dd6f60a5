/**
 * Every error that a caller can see, in one table. A refusal carries its `code`; the rest of the row is what the
 * surfaces make of it: the HTTP status, the title, and the error of RFC 6749 and its kin on the OAuth endpoints.
 */
import type { Seconds } from './time.ts';

interface Row {
  readonly status: number;
  readonly title: string;
  /** The `error` at the OAuth endpoints. @see RFC 6749 section 5.2, RFC 9396 section 5, RFC 8628 section 3.5 */
  readonly oauth: string;
}

export const FAILURES = {
  invalid_request: { status: 400, title: 'The request is malformed', oauth: 'invalid_request' },
  invalid_json: { status: 400, title: 'The body is not JSON', oauth: 'invalid_request' },
  unknown_field: { status: 400, title: 'A field is not defined here', oauth: 'invalid_request' },
  invalid_field: { status: 400, title: 'A field has a wrong value', oauth: 'invalid_request' },
  invalid_name: { status: 400, title: 'A name has the wrong form', oauth: 'invalid_request' },
  invalid_id: { status: 400, title: 'An id has the wrong form', oauth: 'invalid_request' },
  invalid_cursor: { status: 400, title: 'The cursor is not one of ours', oauth: 'invalid_request' },
  invalid_parameters: {
    status: 400,
    title: 'The parameters do not fit the task class',
    oauth: 'invalid_authorization_details',
  },
  invalid_authorization_details: {
    status: 400,
    title: 'The authorization details cannot be answered here',
    oauth: 'invalid_authorization_details',
  },
  invalid_policy: { status: 400, title: 'The policy bundle has problems', oauth: 'invalid_request' },
  invalid_target: { status: 400, title: 'The target is not usable as described', oauth: 'invalid_target' },
  gateway_request_refused: {
    status: 400,
    title: 'The call can be read in two ways',
    oauth: 'invalid_request',
  },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported', oauth: 'unsupported_grant_type' },
  unsupported_token_type: {
    status: 400,
    title: 'The token is not of a kind that is revoked',
    oauth: 'unsupported_token_type',
  },
  invalid_client: { status: 401, title: 'The client did not prove who it is', oauth: 'invalid_client' },
  unauthenticated: { status: 401, title: 'The token is missing, wrong or over', oauth: 'invalid_client' },
  not_signed_in: { status: 401, title: 'You are not signed in', oauth: 'invalid_client' },
  not_permitted: { status: 403, title: 'No rule permits this', oauth: 'access_denied' },
  forbidden_by_rule: { status: 403, title: 'A rule forbids this', oauth: 'access_denied' },
  role_needed: { status: 403, title: 'Several roles would permit this: name one', oauth: 'access_denied' },
  no_role: { status: 403, title: 'No role held here carries this task class', oauth: 'access_denied' },
  blocked: { status: 403, title: 'Oversight has stopped this', oauth: 'access_denied' },
  humans_only: { status: 403, title: 'No agent gets this, whoever approves', oauth: 'access_denied' },
  nobody_oversees: { status: 403, title: 'Nobody oversees this tenant', oauth: 'access_denied' },
  nobody_can_approve: { status: 403, title: 'Nobody could approve this', oauth: 'access_denied' },
  owner_gone: { status: 403, title: 'The agent has no accountable owner', oauth: 'access_denied' },
  uses_not_countable: { status: 403, title: 'The provider cannot count uses', oauth: 'access_denied' },
  ttl_not_possible: { status: 403, title: 'No lifetime fits every limit', oauth: 'access_denied' },
  target_unknown: { status: 403, title: 'The resource names no target here', oauth: 'access_denied' },
  policy_fault: { status: 403, title: 'The policy could not be evaluated', oauth: 'access_denied' },
  function_needed: { status: 403, title: 'This takes a function that you do not hold', oauth: 'access_denied' },
  reads_only: { status: 403, title: 'You see this, and do nothing here', oauth: 'access_denied' },
  local_token_refused: { status: 403, title: 'A local token cannot be used for this', oauth: 'access_denied' },
  passkey_needed: { status: 403, title: 'This takes a passkey', oauth: 'access_denied' },
  passkey_refused: { status: 403, title: 'The passkey was not accepted', oauth: 'access_denied' },
  in_conflict: { status: 403, title: 'You are in conflict here', oauth: 'access_denied' },
  not_asked: { status: 403, title: 'It has not come to you', oauth: 'access_denied' },
  nothing_to_recover: { status: 409, title: 'There is nothing to recover', oauth: 'invalid_request' },
  takes_two_persons: { status: 403, title: 'This takes two persons', oauth: 'access_denied' },
  gateway_call_refused: { status: 403, title: 'The task class has no such call', oauth: 'access_denied' },
  gateway_not_this_tenants: { status: 403, title: 'Nothing says that this is the client’s', oauth: 'access_denied' },
  approval_pending: { status: 400, title: 'A person is being asked', oauth: 'authorization_pending' },
  not_found: { status: 404, title: 'There is nothing here', oauth: 'invalid_request' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here', oauth: 'invalid_request' },
  name_taken: { status: 409, title: 'The name is in use', oauth: 'invalid_request' },
  name_retired: { status: 409, title: 'A removed name is not given again', oauth: 'invalid_request' },
  key_in_use: { status: 409, title: 'The key is enrolled elsewhere', oauth: 'invalid_request' },
  binding_overlaps: { status: 409, title: 'One token could satisfy two bindings', oauth: 'invalid_request' },
  audience_in_use: { status: 409, title: 'The audience belongs to another', oauth: 'invalid_request' },
  secret_in_use: { status: 409, title: 'The secret is registered at another target', oauth: 'invalid_request' },
  second_function: { status: 409, title: 'A second function at one tenant', oauth: 'invalid_request' },
  under_way: { status: 409, title: 'It is being done already', oauth: 'invalid_request' },
  still_in_use: { status: 409, title: 'Something still rests on this', oauth: 'invalid_request' },
  version_conflict: { status: 409, title: 'It was changed by another', oauth: 'invalid_request' },
  idempotency_mismatch: { status: 409, title: 'The idempotency key came with another body', oauth: 'invalid_request' },
  change_over: { status: 409, title: 'The change is not open any more', oauth: 'invalid_request' },
  form_over: { status: 409, title: 'The form is over, or not for this session', oauth: 'invalid_request' },
  approval_over: { status: 409, title: 'The approval is not open any more', oauth: 'invalid_request' },
  approval_waits: { status: 409, title: 'The approval waits for another first', oauth: 'invalid_request' },
  answered_before: { status: 409, title: 'You have answered already', oauth: 'invalid_request' },
  approval_differs: { status: 409, title: 'It is not what was approved any more', oauth: 'invalid_request' },
  order_over: { status: 409, title: 'The order is not open any more', oauth: 'invalid_request' },
  not_reversible: { status: 409, title: 'Nothing takes this back', oauth: 'invalid_request' },
  review_over: { status: 409, title: 'The review is not open', oauth: 'invalid_request' },
  trip_over: { status: 409, title: 'The breaker is not tripped any more', oauth: 'invalid_request' },
  not_finished: { status: 409, title: 'There is nothing to judge yet', oauth: 'invalid_request' },
  lease_over: { status: 409, title: 'The lease is over', oauth: 'invalid_request' },
  precondition_failed: { status: 412, title: 'It is not as you last saw it', oauth: 'invalid_request' },
  body_too_large: { status: 413, title: 'The body is too large', oauth: 'invalid_request' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported', oauth: 'invalid_request' },
  too_many_requests: { status: 429, title: 'Too many requests', oauth: 'temporarily_unavailable' },
  internal: { status: 500, title: 'Something failed here', oauth: 'server_error' },
  gateway_no_answer: { status: 502, title: 'The tool did not answer', oauth: 'temporarily_unavailable' },
  gateway_redirect: { status: 502, title: 'The tool leads elsewhere', oauth: 'temporarily_unavailable' },
  gateway_encoded: { status: 502, title: 'The tool answered in an encoding', oauth: 'temporarily_unavailable' },
  gateway_answer_too_large: { status: 502, title: 'The tool answered too much', oauth: 'temporarily_unavailable' },
  gateway_key_echoed: { status: 502, title: 'The tool answered with its key', oauth: 'temporarily_unavailable' },
  gateway_timeout: { status: 504, title: 'The tool took too long', oauth: 'temporarily_unavailable' },
  contended: { status: 503, title: 'Who may do what kept changing', oauth: 'temporarily_unavailable' },
  database_unavailable: { status: 503, title: 'The database does not answer', oauth: 'temporarily_unavailable' },
  provider_unavailable: { status: 503, title: 'The provider does not answer', oauth: 'temporarily_unavailable' },
  issuer_unavailable: { status: 503, title: 'The OIDC issuer does not answer', oauth: 'temporarily_unavailable' },
  sweeper_late: { status: 503, title: 'Expiry is not being watched', oauth: 'temporarily_unavailable' },
  not_serving: { status: 503, title: 'This node may not serve', oauth: 'temporarily_unavailable' },
  issuing_stopped: { status: 503, title: 'Issuing is stopped', oauth: 'temporarily_unavailable' },
} as const satisfies Record<string, Row>;

export type FailureCode = keyof typeof FAILURES;

/** A refusal as the caller will see it. It never carries a secret, nor the rich reason that the ledger gets. */
export interface Failure {
  readonly code: FailureCode;
  /** What is wrong, in one sentence. */
  readonly detail: string;
  /** What the caller can change. */
  readonly hint?: string;
  /** Where in the request, as a path such as `parameters.limit`. */
  readonly path?: string;
  readonly retryAfter?: Seconds;
  /** Further members of the problem document: ids and codes, nothing secret. */
  readonly members?: Readonly<Record<string, unknown>>;
}

export const failure = (code: FailureCode, detail: string, more: Omit<Failure, 'code' | 'detail'> = {}): Failure => ({
  code,
  detail,
  ...more,
});

/** Of what is not there, and of what another tenant has: one answer, so that nobody can tell them apart. */
export const NOTHING_HERE = failure('not_found', 'there is nothing here', {
  hint: 'Check every name in it, the tenant too: what you have no part in looks like what is not there.',
});
