-- rows: $0, '0001-01-01', $2, $1
SELECT t.id, t.status, t.duedate
FROM tblinvoices AS t
WHERE t.status != %s AND t.duedate IS NOT NULL AND t.duedate >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, '0001-01-01'
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status != %s AND t.duedate IS NOT NULL AND t.duedate >= %s
