-- # invoices_aggregate
-- groups: '0001-01-01', '0001-01-01', $0, $2, $1
SELECT count(*) AS count_1, sum(t.total) AS sum_1, sum(t.id) AS sum_2, round((sum(t.total) * 1.0000000000) / count(t.total), 6) AS round_1, min(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END) AS min_1, max(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END) AS max_1, count(DISTINCT t.clientid) AS count_2, count(DISTINCT t.currency) AS count_3
FROM tblinvoices AS t
WHERE t.status = %s
 LIMIT %s, %s
