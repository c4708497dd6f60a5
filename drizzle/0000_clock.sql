-- The database's clock, in milliseconds since 1970. It is read when it is called, not when the transaction began.
CREATE FUNCTION brevet_now() RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
