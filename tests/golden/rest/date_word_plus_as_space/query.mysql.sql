-- rows: $0, '0001-01-01', '0001-01-01', $2, $1
SELECT t.id, t.duedate
FROM tblinvoices AS t
WHERE t.duedate < %s AND t.duedate >= %s ORDER BY CASE WHEN (t.duedate < %s) THEN NULL ELSE t.duedate END DESC, t.id ASC
 LIMIT %s, %s

-- count: $0, '0001-01-01'
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.duedate < %s AND t.duedate >= %s
