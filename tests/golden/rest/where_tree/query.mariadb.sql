-- rows: $0, $1, $2, $4, $3
SELECT t.id, t.status, t.total, t.duedate
FROM tblinvoices AS t
WHERE t.status = %s OR t.total >= %s AND t.duedate >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, $1, $2
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = %s OR t.total >= %s AND t.duedate >= %s
