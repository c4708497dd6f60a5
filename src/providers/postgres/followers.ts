/**
 * Nodes that follow the one that is asked, logical subscribers left out, as an expression in SQL: those that are
 * connected and, where it takes writes, those that are away and for whom it keeps what they have missed. A session on
 * one of these lives on all the same.
 */
export const FOLLOWERS = `(
  (SELECT count(*) FROM pg_stat_get_wal_senders() f WHERE NOT EXISTS (
    SELECT FROM pg_get_replication_slots() l WHERE l.active_pid = f.pid AND l.slot_type = 'logical'))
  + (SELECT count(*) FROM pg_get_replication_slots() l WHERE l.slot_type = 'physical' AND NOT l.active
    AND l.restart_lsn IS NOT NULL AND l.wal_status IS DISTINCT FROM 'lost' AND NOT pg_is_in_recovery()))`;
