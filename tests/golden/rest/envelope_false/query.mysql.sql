-- rows: $1, $0
SELECT t.company, t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblclients AS t
