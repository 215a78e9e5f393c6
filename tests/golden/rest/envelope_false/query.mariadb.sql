-- rows: $1, $0
SELECT t.company, t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblclients AS t
