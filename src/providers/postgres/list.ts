/** Which of Brevet's logins a server holds, fences left out. */
import type { Mark } from '../../core/lease.ts';
import type { Site } from './site.ts';

const MARK = /^brevet_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Those that this admin login made: two targets, or two brokers, may share a server. */
export async function listMarks(site: Site): Promise<readonly Mark[]> {
  const rows = await site.atPrimary((lane) =>
    lane.run(
      (sql) => sql<{ mark: string }[]>`
        select r.rolname as mark from pg_roles r
        join pg_auth_members m on m.roleid = r.oid and m.admin_option
        join pg_roles a on a.oid = m.member and a.rolname = current_user
        where r.rolname like 'brevet\\_%' and (r.rolcanlogin or r.rolconnlimit <> 0)`,
    ),
  );
  return [...new Set(rows.map(({ mark }) => mark))].filter((name): name is Mark => MARK.test(name));
}
