-- # invoices_connection
-- rows: $0, $2, $1
SELECT t.id, t.date
FROM tblinvoices AS t
WHERE t.status = %s ORDER BY t.date DESC, t.id ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = %s
