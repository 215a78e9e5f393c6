-- groups: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', '0001-01-01', '0001-01-01', $0, $2, $1
SELECT t.status, CASE WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s ELSE NULL END AS anon_1, count(*) AS count_1, sum(t.total) AS sum_1, round((sum(t.total) * 1.0000000000) / count(t.total), 6) AS round_1, min(CASE WHEN (t.date < %s) THEN NULL ELSE t.date END) AS min_1, max(CASE WHEN (t.duedate < %s) THEN NULL ELSE t.duedate END) AS max_1, count(DISTINCT t.clientid) AS count_2
FROM tblinvoices AS t
WHERE t.currency = %s GROUP BY t.status ORDER BY t.status ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM (SELECT t.status AS g0 FROM tblinvoices AS t WHERE t.currency = %s GROUP BY t.status) AS g
