-- groups: $0, $2, $1
SELECT t.status, count(*) AS count_1
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t_1.userid = t.clientid AND t.clientid != 0) GROUP BY t.status ORDER BY t.status ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM (SELECT t.status AS g0 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.userid = t.clientid AND t.clientid != 0) GROUP BY t.status) AS g

-- parent: $3
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s
