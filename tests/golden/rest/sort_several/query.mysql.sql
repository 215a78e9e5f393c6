-- rows: $1, $0
SELECT t.id, t.currency, t.status, t.total
FROM tblinvoices AS t ORDER BY t.currency DESC, t.status ASC, t.total ASC, t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t
