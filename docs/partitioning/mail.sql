-- orders_outboxmail by months while the shop runs: four steps, in this order, each in a transaction of its own.
-- `docs/scale-database.md` says when; `shop/orders/tests/test_partitioning.py` runs these very lines under writes.

-- step: prepare
-- The parts, and a trigger that does there what is done here. Waits for writers at most two seconds: then begin again.
SET LOCAL lock_timeout = '2s';
CREATE TABLE orders_mailsent (
    ref varchar(100) NOT NULL,
    kind varchar(20) NOT NULL,
    mail bigint NOT NULL,
    PRIMARY KEY (ref, kind)
);
CREATE TABLE orders_outboxmail_new (
    LIKE orders_outboxmail INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX outboxmail_due_by_month ON orders_outboxmail_new (next_try_at) WHERE status = 'pending';
-- What no month was made for; must stay empty, and lets nobody wait for a month that was forgotten.
CREATE TABLE orders_outboxmail_rest PARTITION OF orders_outboxmail_new DEFAULT;

-- Later, each month: SELECT orders_outboxmail_month('orders_outboxmail', now() + interval '2 months');
CREATE FUNCTION orders_outboxmail_month(parent regclass, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    start timestamptz := date_trunc('month', at, 'UTC');
    stop timestamptz := date_add(start, interval '1 month', 'UTC');
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
        'orders_outboxmail_' || to_char(start AT TIME ZONE 'UTC', 'YYYY_MM'), parent, start, stop
    );
END $$;
SELECT orders_outboxmail_month('orders_outboxmail_new', month)
FROM generate_series(
    (SELECT coalesce(min(created_at), now()) FROM orders_outboxmail), now() + interval '2 months', interval '27 days'
) AS month;

CREATE FUNCTION orders_outboxmail_mirror() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM orders_outboxmail_new WHERE id = OLD.id AND created_at = OLD.created_at;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO orders_outboxmail_new VALUES (NEW.*);
        INSERT INTO orders_mailsent VALUES (NEW.ref, NEW.kind, NEW.id) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mirror AFTER INSERT OR UPDATE OR DELETE ON orders_outboxmail
FOR EACH ROW EXECUTE FUNCTION orders_outboxmail_mirror();

-- step: copy
-- Again and again, :after being 0 and then what was answered, until that is null. A writer of one of these rows waits for
-- the batch and then goes on in both tables; what was written before the batch is there already and stays.
WITH batch AS MATERIALIZED (
    SELECT * FROM orders_outboxmail WHERE id > :after ORDER BY id LIMIT 5000 FOR SHARE
), copied AS (
    INSERT INTO orders_outboxmail_new SELECT * FROM batch ON CONFLICT DO NOTHING
), sent AS (
    INSERT INTO orders_mailsent SELECT ref, kind, id FROM batch ON CONFLICT DO NOTHING
)
SELECT max(id) FROM batch;

-- step: compare
-- Of each month what differs; both sides are read at one instant. Nothing may come back.
SELECT month, old.rows, new.rows
FROM (
    SELECT date_trunc('month', created_at, 'UTC') AS month, count(*) AS rows, sum(hashtextextended(o::text, 0)) AS hash
    FROM orders_outboxmail AS o GROUP BY 1
) AS old
FULL JOIN (
    SELECT date_trunc('month', created_at, 'UTC') AS month, count(*) AS rows, sum(hashtextextended(n::text, 0)) AS hash
    FROM orders_outboxmail_new AS n GROUP BY 1
) AS new USING (month)
WHERE (old.rows, old.hash) IS DISTINCT FROM (new.rows, new.hash);

-- step: swap
-- Names change hands within milliseconds. The old table is a copy from here on; drop it after a week.
SET LOCAL lock_timeout = '2s';
LOCK TABLE orders_outboxmail, orders_outboxmail_new IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER mirror ON orders_outboxmail;
DROP FUNCTION orders_outboxmail_mirror;
CREATE SEQUENCE orders_outboxmail_number;
SELECT setval('orders_outboxmail_number', nextval(pg_get_serial_sequence('orders_outboxmail', 'id')));
ALTER TABLE orders_outboxmail RENAME TO orders_outboxmail_old;
ALTER TABLE orders_outboxmail_new RENAME TO orders_outboxmail;
ALTER TABLE orders_outboxmail ALTER id SET DEFAULT nextval('orders_outboxmail_number');
ALTER SEQUENCE orders_outboxmail_number OWNED BY orders_outboxmail.id;

-- One mail of a kind and reference, as the constraint of the old table had it: the second one is left out, as
-- ON CONFLICT DO NOTHING does. A mail that moves to another month comes by again under its own number.
CREATE FUNCTION orders_outboxmail_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders_mailsent VALUES (NEW.ref, NEW.kind, NEW.id) ON CONFLICT DO NOTHING;
    IF FOUND OR EXISTS (
        SELECT FROM orders_mailsent WHERE ref = NEW.ref AND kind = NEW.kind AND mail = NEW.id
    ) THEN
        RETURN NEW;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER once BEFORE INSERT ON orders_outboxmail FOR EACH ROW EXECUTE FUNCTION orders_outboxmail_once();
