-- rows: $1, $0
SELECT t.id, t.email
FROM tblleads AS t
WHERE t.email IS NOT NULL ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblleads AS t WHERE t.email IS NOT NULL
