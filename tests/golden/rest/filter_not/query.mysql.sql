-- rows: $0, '0001-01-01', $2, $1
SELECT t.id, t.status, t.duedate
FROM tblinvoices AS t
WHERE t.status != %s AND t.duedate IS NOT NULL AND t.duedate >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, '0001-01-01'
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.status != %s AND t.duedate IS NOT NULL AND t.duedate >= %s
