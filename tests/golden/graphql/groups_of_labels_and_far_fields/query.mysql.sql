-- # invoices_groups
-- groups: 1, 'Unpaid', 2, 'Paid', 3, 'Partially paid', 4, 'Overdue', 5, 'Cancelled', 6, 'Draft', $1, $0
SELECT t.status, CASE WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s WHEN (t.status = %s) THEN %s ELSE NULL END AS anon_1, t_1.country, (SELECT t_2.short_name
FROM tblcountries AS t_2
WHERE t_1.country = t_2.country_id AND t_1.country != 0
 LIMIT 1) AS anon_2, count(*) AS count_1
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t.status, t_1.country ORDER BY t.status ASC, t_1.country ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM (SELECT t.status AS g0, t_1.country AS g1 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t.status, t_1.country) AS g
