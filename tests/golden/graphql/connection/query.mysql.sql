-- # invoices_connection
-- rows: $0, $2, $1
SELECT t.id, t.date
FROM tblinvoices AS t
WHERE t.status = %s ORDER BY t.date DESC, t.id ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = %s
