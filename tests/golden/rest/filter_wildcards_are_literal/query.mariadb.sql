-- rows: $0, $2, $1
SELECT t.userid
FROM tblclients AS t
WHERE t.company LIKE %s ESCAPE '|' ORDER BY t.userid ASC
 LIMIT %s, %s

-- count: $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblclients AS t WHERE t.company LIKE %s ESCAPE '|'
