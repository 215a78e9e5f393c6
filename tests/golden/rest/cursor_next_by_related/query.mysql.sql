-- rows: $2, $2, $2, $3, '0001-01-01', '0001-01-01', $2, $3, $4, '0001-01-01', $1, $0
SELECT t.id, t.duedate, t_1.company
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0
WHERE t_1.company >= %s AND (t_1.company > %s OR t_1.company = %s AND (t.duedate < %s AND t.duedate >= %s OR t.duedate IS NULL OR t.duedate < %s) OR t_1.company = %s AND t.duedate = %s AND t.id > %s) ORDER BY t_1.company ASC, CASE WHEN (t.duedate < %s) THEN NULL ELSE t.duedate END DESC, t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t
