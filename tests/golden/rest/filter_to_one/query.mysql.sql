-- rows: $0, $2, $1
SELECT t.id, t.clientid
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0
WHERE t_1.country = %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 WHERE t_1.country = %s
