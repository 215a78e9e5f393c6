-- rows: $1, $0
SELECT t.id, t.total
FROM tblinvoices AS t ORDER BY t.total DESC, t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t
