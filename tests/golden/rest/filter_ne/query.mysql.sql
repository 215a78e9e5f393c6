-- rows: $0, $2, $1
SELECT t.id, t.status
FROM tblinvoices AS t
WHERE t.status != %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.status != %s
