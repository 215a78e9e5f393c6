-- rows: $2, $2, $2, $3, $1, $0
SELECT t.id, t.total
FROM tblinvoices AS t
WHERE t.total <= %s AND (t.total < %s OR t.total = %s AND t.id > %s) ORDER BY t.total DESC, t.id ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t
