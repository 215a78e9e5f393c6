-- rows: $0, $2, $1
SELECT t.id, t.total
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t_1.userid = t.clientid AND t.clientid != 0) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.userid = t.clientid AND t.clientid != 0)

-- parent: $3
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s
