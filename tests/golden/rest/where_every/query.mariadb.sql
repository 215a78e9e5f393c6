-- rows: $0, $2, $1
SELECT t.userid
FROM tblclients AS t
WHERE NOT (EXISTS (SELECT 1
FROM tblinvoices AS t_1
WHERE t.userid = t_1.clientid AND t_1.clientid != 0 AND coalesce(t_1.status = %s, false) = false)) ORDER BY t.userid ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblclients AS t WHERE NOT (EXISTS (SELECT 1 FROM tblinvoices AS t_1 WHERE t.userid = t_1.clientid AND t_1.clientid != 0 AND coalesce(t_1.status = %s, false) = false))
