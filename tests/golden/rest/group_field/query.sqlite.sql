-- groups: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', $0, $1, $2
SELECT t.status, CASE WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? WHEN (t.status = ?) THEN ? ELSE NULL END AS anon_1, count(*) AS count_1, sum(t.total) AS sum_1, avg(t.total) AS avg_1, min(t.date) AS min_1, max(t.duedate) AS max_1, count(DISTINCT t.clientid) AS count_2
FROM tblinvoices AS t
WHERE t.currency = ? GROUP BY t.status ORDER BY t.status ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM (SELECT t.status AS g0 FROM tblinvoices AS t WHERE t.currency = ? GROUP BY t.status) AS g
