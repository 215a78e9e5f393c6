-- # invoices_aggregate
-- groups: $0, $1, $2
SELECT count(*) AS count_1, sum(t.total) AS sum_1, sum(t.id) AS sum_2, avg(t.total) AS avg_1, min(t.date) AS min_1, max(t.date) AS max_1, count(DISTINCT t.clientid) AS count_2, count(DISTINCT t.currency) AS count_3
FROM tblinvoices AS t
WHERE t.status = ?
 LIMIT ? OFFSET ?
