-- Reservations of sales that are long over, out of the hot table and into parts by sale. Two steps, the second one for each
-- sale. `docs/scale-database.md` says when; `flashsale/tests/test_past_reservations.py` runs these very lines.

-- step: prepare
-- No unique constraint but the key: what it promised was kept while the sale ran, and nothing is added here but by a move.
CREATE TABLE flashsale_reservation_past (
    LIKE flashsale_reservation INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    sale_id bigint NOT NULL,
    PRIMARY KEY (id, sale_id)
) PARTITION BY LIST (sale_id);
CREATE INDEX reservation_past_user ON flashsale_reservation_past (user_id, id);
CREATE INDEX reservation_past_rid ON flashsale_reservation_past (rid);
CREATE INDEX reservation_past_order ON flashsale_reservation_past (order_id);
-- What a shopper's history reads: both, and each row once, for a move is one transaction.
CREATE VIEW flashsale_reservation_ever AS
SELECT reservation.*, item.sale_id
FROM flashsale_reservation AS reservation JOIN flashsale_saleitem AS item ON item.id = reservation.item_id
UNION ALL
SELECT * FROM flashsale_reservation_past;

-- step: part
-- :sale is a number; its part can be detached and kept elsewhere by itself.
CREATE TABLE flashsale_reservation_past_:sale PARTITION OF flashsale_reservation_past FOR VALUES IN (:sale);

-- step: move
-- Again and again until it moves none, in batches that stay under the statement timeout. Only what nobody can change any
-- more: the sale closed more than a month ago, the unit is neither held nor unknown to the memory.
WITH batch AS MATERIALIZED (
    SELECT reservation.id
    FROM flashsale_reservation AS reservation
    JOIN flashsale_saleitem AS item ON item.id = reservation.item_id
    JOIN flashsale_sale AS sale ON sale.id = item.sale_id
    WHERE sale.id = :sale AND sale.state = 'closed' AND sale.closes_at < now() - interval '1 month'
        AND reservation.status <> 'held' AND reservation.store_told_at IS NOT NULL
    ORDER BY reservation.id LIMIT 5000
    FOR UPDATE OF reservation SKIP LOCKED
), moved AS (
    DELETE FROM flashsale_reservation USING batch WHERE flashsale_reservation.id = batch.id
    RETURNING flashsale_reservation.*
), kept AS (
    INSERT INTO flashsale_reservation_past SELECT moved.*, :sale FROM moved RETURNING id
)
SELECT count(*) FROM kept;
