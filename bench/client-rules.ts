/** Rules as a client has them of its own: each with a condition of its own, and none about what is measured. */
export const clientRules = (client: string, count: number): string =>
  Array.from(
    { length: count },
    (_, at) => `@id("${client}-${at}") @reason("A rule of a client.") @obligation("approval")
forbid (principal, action == Action::"perform", resource)
when { context.environment == "site-${at}" && context.data.containsAny(["phi", "pii"]) && !context.reads_only }
unless { context.approved };`,
  ).join('\n');
