-- rows: $0, $1, $2, $3, $5, $4
SELECT t.id, t.status, t.sale_agent, t.total
FROM tblinvoices AS t
WHERE (t.status = %s OR t.status = %s) AND (t.sale_agent = %s OR t.total < %s) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, $1, $2, $3
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE (t.status = %s OR t.status = %s) AND (t.sale_agent = %s OR t.total < %s)
