-- rows: $1, $0
SELECT t.id, t.clientid, t.total, t_1.company
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 ORDER BY t_1.company ASC, t.total DESC, t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t
