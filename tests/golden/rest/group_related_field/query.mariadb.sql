-- groups: $1, $0
SELECT t_1.country, count(*) AS count_1
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t_1.country ORDER BY count(*) DESC, t_1.country ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM (SELECT t_1.country AS g0 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 GROUP BY t_1.country) AS g
